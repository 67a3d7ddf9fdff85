"""One program that the embedded stack runs: its start, its readiness and its stop."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stack.account import Account
from stack.priority import lower_priority
from stack.state_directory import ENV_PREFIX

POLL_S: Final = 0.05
READY_WITHIN_S: Final = 180.0
STOP_WITHIN_S: Final = 10.0
_PROJECT: Final = Path(__file__).resolve().parent.parent
_TAIL_LINES: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None

ReadinessProbe = Callable[["ChildProcess"], Awaitable[bool]]


class StartError(Exception):
    """A child ended, or exceeded its time limit, before it was ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A program to run; `readiness_probe` is polled after each start until it returns True."""

    name: str
    command: Sequence[str]
    readiness_probe: ReadinessProbe
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account = field(default_factory=Account)
    directory: Path = Path("/")
    niceness: int = 0
    """Scheduling priority once it is ready, as `nice` counts it: a higher number yields."""


def python_child(
    name: str,
    arguments: Sequence[str],
    readiness_probe: ReadinessProbe,
    *,
    environment: Mapping[str, str],
    niceness: int = 0,
) -> ChildSpec:
    """Return the spec of a child that runs `python -m` with `arguments` in this project."""
    return ChildSpec(
        name=name,
        command=[sys.executable, "-m", *arguments],
        readiness_probe=readiness_probe,
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        directory=_PROJECT,
        niceness=niceness,
    )


class ChildProcess:
    """A started child; it writes to its log file itself, so it never blocks on us."""

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

    def read_output(self) -> str:
        """Return what this process, not an earlier one, has written so far."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    async def wait_until_exited(self) -> None:
        while not self.has_ended():  # noqa: ASYNC110 - the exit code can only be polled
            await asyncio.sleep(POLL_S)

    async def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Return when the probe succeeds; StartError when the child ends or the time is up."""
        deadline = time.monotonic() + within_s
        while not await self.child.readiness_probe(self):
            if self.has_ended():
                raise StartError(f"{self.child.name} ended while starting:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.child.name} not ready in {within_s:g} s:\n{self._tail()}")
            await asyncio.sleep(POLL_S)
        # Only now: a start that yields takes eight times as long on a busy machine.
        if self.child.niceness:
            await lower_priority(self.pid, self.child.niceness)

    async def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Send the stop signal, and SIGKILL when the child has not ended after `within_s`."""
        if self.has_ended():
            return
        self._popen.send_signal(self.child.stop_signal)
        try:
            async with asyncio.timeout(within_s):
                await self.wait_until_exited()
        except TimeoutError:
            self.kill()
            await self.wait_until_exited()

    def kill(self) -> None:
        # The child leads its own session, so the signal also ends every process that it started.
        if not self.has_ended():
            os.killpg(self.pid, signal.SIGKILL)

    def _tail(self) -> str:
        return "\n".join(self.read_output().splitlines()[-_TAIL_LINES:])


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
        # Safe here: the supervisor forks from its one thread, which holds no lock at that moment.
        preexec_fn=_die_with_parent(child.stop_signal),  # noqa: PLW1509
    )


def _environment(child: ChildSpec) -> dict[str, str]:
    # Variables of another deployment, set in the caller's shell, must not reach the child.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
    return {**inherited, **child.environment}


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Return a preexec_fn: the kernel sends `death_signal` to the child when our process dies.

    Only Linux can do this; elsewhere a killed supervisor leaves its children running.
    """
    parent = os.getpid()

    def set_up() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        # The parent may have died between the fork and the call above.
        if os.getppid() != parent:
            os._exit(1)

    return set_up
