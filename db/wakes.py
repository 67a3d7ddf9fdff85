"""Wakes of the courier beside the commits whose work it is to find.

A NOTIFY within a transaction makes its commit wait for all other commits that notify: Postgres
holds one lock of the whole database from before the flush of the log until after it. So what was
written is told afterwards, by a short transaction of its own, and many writes are told at once. A
wake that is lost, as when the process ends, costs no more than the courier's interval of polling.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Executable, text

from db import notifications
from db.faults import describe

PAUSE_S: Final = 0.005
"""Seconds between two notifications of one process; the first one is sent at once."""
LOW_PRIORITY_PAUSE_S: Final = 0.1
"""The same for invitations, whose workflows nobody waits for: each notification costs the api and
the courier a statement."""
LOW_PRIORITY: Final = frozenset({notifications.INVITATIONS})
CLOSE_TIMEOUT_S: Final = 1.0
NOTIFY: Final = text("""
    select set_config('synchronous_commit', 'off', true), pg_notify(:channel, payload)
      from unnest(cast(:payloads as text[])) as wanted (payload)
""")
"""Its own commit needs no flush: nothing is lost that polling would not find."""
_WAKES: Final = "wakes"

log = structlog.get_logger()


class Writer(Protocol):
    """A session, or an executor of statements that commit by themselves."""

    @property
    def info(self) -> dict[Any, Any]: ...


class WritingSession(Writer, Protocol):
    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Any: ...  # noqa: ANN401 - as SQLAlchemy types it


def wake_after_commit(writer: Writer, payload: str) -> None:
    """Wake the loops that wait for a payload once what was written is committed."""
    writer.info.setdefault(_WAKES, set()).add(payload)


async def write_and_wake(
    session: WritingSession, statement: Executable, values: Mapping[str, Any]
) -> None:
    """Run a statement that returns something where it wrote deliveries, and wake their carriers."""
    if await session.scalar(statement, values) is not None:
        wake_after_commit(session, notifications.UPDATES)


def wakes_of(writer: Writer) -> frozenset[str]:
    """Return the payloads to notify of, now that what was written is committed."""
    return frozenset(writer.info.pop(_WAKES, ()))


class Waker:
    """Coalesces wakes into notifications: each payload at most once a pause."""

    def __init__(
        self,
        notify: Callable[[Collection[str]], Awaitable[None]],
        *,
        pause_s: float = PAUSE_S,
        low_priority_pause_s: float = LOW_PRIORITY_PAUSE_S,
    ) -> None:
        """Take the coroutine that sends notifications; whatever it raises loses a wake alone."""
        self._urgent = _PacedNotifier(notify, pause_s=pause_s)
        self._low_priority = _PacedNotifier(notify, pause_s=low_priority_pause_s)

    def wake(self, payloads: Collection[str]) -> None:
        for notifier, wanted in (
            (self._urgent, set(payloads) - LOW_PRIORITY),
            (self._low_priority, LOW_PRIORITY.intersection(payloads)),
        ):
            if wanted:
                notifier.wake(wanted)

    async def close(self) -> None:
        """Send what is wanted, within CLOSE_TIMEOUT_S."""
        await asyncio.gather(self._urgent.close(), self._low_priority.close())


class _PacedNotifier:
    """Sends notifications with a minimum pause between two."""

    def __init__(
        self, notify: Callable[[Collection[str]], Awaitable[None]], *, pause_s: float
    ) -> None:
        self._notify = notify
        self._pause_s = pause_s
        self._wanted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = asyncio.Event()
        self._is_failing = False
        """Set from the first failure to the next success, so that an outage is logged once."""

    def wake(self, payloads: Collection[str]) -> None:
        self._wanted |= set(payloads)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        self._is_closing.set()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT_S)
            self._task.cancel()

    async def _run(self) -> None:
        while self._wanted:
            payloads, self._wanted = sorted(self._wanted), set()
            await self._try_to_notify(payloads)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._is_closing.wait()

    async def _try_to_notify(self, payloads: Collection[str]) -> None:
        try:
            await self._notify(payloads)
        except Exception as fault:  # noqa: BLE001 - polling finds what was not told
            if not self._is_failing:
                log.warning("wakes_lost", error=describe(fault))
            self._is_failing = True
        else:
            self._is_failing = False
