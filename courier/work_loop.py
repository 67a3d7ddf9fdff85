"""Polling loop with LISTEN/NOTIFY wake-up, backoff and graceful stop."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal, Protocol

import structlog

from db.faults import describe
from db.notifications import UPDATES

POLL_INTERVAL_S: Final = 0.5
"""Bounds the delay of work whose notification was missed."""
LAZY_INTERVAL_S: Final = 1.0
"""Interval of work that no notification wakes, because nobody waits for it."""
INITIAL_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 15.0
"""For one player or delivery that keeps failing."""
MAX_OUTAGE_BACKOFF_S: Final = 2.0
"""While a whole dependency is away; one small attempt probes it, so it may probe often."""

FAILING_FROM: Final = 3
"""Failures in a row from which work counts as failing: fewer may be a restart of Postgres."""
HANGING_AFTER_S: Final = 300.0
"""Time without the end of a batch after which work hangs: every call that it makes ends sooner."""

log = structlog.get_logger()


class Loop(Protocol):
    """Work that goes on until it is stopped, whatever happens to what it needs."""

    async def run(self) -> None: ...

    def stop(self) -> None:
        """Stop after the present batch."""


class WorkLoop:
    """Runs batches of one kind of work until it is stopped.

    `run_batch` returns whether more work is waiting; its exception is an outage of what it needs.
    A notification with the payload `wake_payload` wakes the loop; with None, none does, and it
    looks half as often. `close` runs after the last batch, and may fail.
    """

    def __init__(
        self,
        name: str,
        run_batch: Callable[[], Awaitable[bool]],
        *,
        wake_payload: str | None = UPDATES,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.wake_up = WakeUp()
        self.succeeded = asyncio.Event()
        """Set after the first batch that had what it needs."""
        self.wake_payload = wake_payload
        self._interval_s = LAZY_INTERVAL_S if wake_payload is None else POLL_INTERVAL_S
        self.name = name
        self._run_one_batch = run_batch
        self._close = close
        self.failures = 0
        """Batches in a row that failed."""
        self._logged_faults: set[str] = set()
        """Their faults, each logged once: an outage must not hide a fault of ours."""
        self._ended_s = self._succeeded_s = time.monotonic()
        self._stopping = False

    @property
    def success_age_s(self) -> float:
        """Time since the last batch that had what it needs, or since the start."""
        return time.monotonic() - self._succeeded_s

    @property
    def state(self) -> Literal["ok", "starting", "failing", "hanging"]:
        if time.monotonic() - self._ended_s > HANGING_AFTER_S:
            return "hanging"
        if self.failures >= FAILING_FROM:
            return "failing"
        return "ok" if self.succeeded.is_set() else "starting"

    async def run(self) -> None:
        while not self._stopping:
            self.wake_up.clear()
            if not await self._run_batch() and not self._stopping:
                await self.wake_up.wait(timeout_s=self._interval_s)
        await self._close_if_it_can()

    def stop(self) -> None:
        """Stop after the present batch."""
        self._stopping = True
        self.wake_up.set()

    async def _run_batch(self) -> bool:
        try:
            has_more = await self._run_one_batch()
        except Exception as fault:  # noqa: BLE001 - the courier outlives its dependencies
            self._ended_s = time.monotonic()
            await self._back_off(fault)
            return True
        if self.failures:
            log.info("courier_recovered", work=self.name, failures=self.failures)
        self.failures = 0
        self._logged_faults.clear()
        self._ended_s = self._succeeded_s = time.monotonic()
        self.succeeded.set()
        return has_more

    async def _close_if_it_can(self) -> None:
        if self._close is None:
            return
        try:
            await self._close()
        except Exception as fault:  # noqa: BLE001 - the process ends anyway
            log.warning("courier_not_closed", work=self.name, error=describe(fault))

    async def _back_off(self, fault: Exception) -> None:
        self.failures += 1
        if (error := describe(fault)) not in self._logged_faults:
            self._logged_faults.add(error)
            log.warning("courier_waits", work=self.name, error=error)
        await asyncio.sleep(backoff_s(self.failures, max_s=MAX_OUTAGE_BACKOFF_S))


class WakeUp:
    """Event whose wait has a timeout; set any number of times, it wakes its loop once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, *, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()


def backoff_s(failures: int, *, max_s: float = MAX_BACKOFF_S) -> float:
    """Return a delay that doubles with each failure, with jitter so that couriers spread out."""
    capped = min(max_s, INITIAL_BACKOFF_S * 2.0 ** min(failures - 1, 16))
    return capped * random.uniform(0.5, 1.0)  # noqa: S311 - a delay is not a secret
