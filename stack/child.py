"""One program that the embedded stack runs: how it is started, known to be ready, and stopped."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stack.account import Account
from stack.leash import tied

POLL_S: Final = 0.05
READY_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 10.0
_TAIL_LINES: Final = 15

ReadinessProbe = Callable[["Started"], Awaitable[bool]]


class StartError(Exception):
    """A child ended, or kept us waiting, before it was ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run; `ready` is asked again and again after each start."""

    name: str
    command: Sequence[str]
    ready: ReadinessProbe
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account = field(default_factory=Account)
    directory: Path = Path("/")
    niceness: int = 0
    """How far it steps back for those that people wait for."""


class Started:
    """A child that was started; it writes to its log file itself, so it never waits for us."""

    def __init__(self, child: ChildSpec, *, logs: Path) -> None:
        self.child = child
        self._log = logs / f"{child.name}.log"
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._popen = _start(child, log.fileno())

    @property
    def pid(self) -> int:
        return self._popen.pid

    def has_ended(self) -> bool:
        return self.exit_code() is not None

    def exit_code(self) -> int | None:
        return self._popen.poll()

    def printed(self) -> str:
        """What this process, not an earlier one, has written so far."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def ended(self) -> None:
        while not self.has_ended():  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(POLL_S)

    async def ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Return when the probe says so; StartError when it ended or took too long."""
        deadline = time.monotonic() + within_s
        while not await self.child.ready(self):
            if self.has_ended():
                raise StartError(f"{self.child.name} ended at its start:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.child.name} not ready in {within_s:g} s:\n{self._tail()}")
            await asyncio.sleep(POLL_S)

    async def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Ask it to end, and insist after `within_s`."""
        if self.has_ended():
            return
        self._popen.send_signal(self.child.stop_signal)
        try:
            await asyncio.wait_for(self.ended(), within_s)
        except TimeoutError:
            self.kill()
            await self.ended()

    def kill(self) -> None:
        # The child leads its own session, so that whatever it started goes with it.
        if not self.has_ended():
            os.killpg(self.pid, signal.SIGKILL)

    def _tail(self) -> str:
        return "\n".join(self.printed().splitlines()[-_TAIL_LINES:])


def _start(child: ChildSpec, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        child.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=child.directory,
        env=_environment(child),
        user=child.account.uid,
        group=child.account.gid,
        extra_groups=child.account.groups,
        start_new_session=True,
        # Safe here: the supervisor forks from its one thread that holds no lock then.
        preexec_fn=tied(child.stop_signal, niceness=child.niceness),  # noqa: PLW1509
    )


def _environment(child: ChildSpec) -> dict[str, str]:
    # What the caller's shell says about some other deployment must not leak in.
    ours = {k: v for k, v in os.environ.items() if not k.startswith("REFERRALS_")}
    return {**ours, **child.environment}
