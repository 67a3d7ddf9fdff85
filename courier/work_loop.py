"""Polling loop with LISTEN/NOTIFY wake-up, backoff and graceful stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from db.faults import describe
from db.notifications import FACTS_OR_UPDATES

POLL_INTERVAL_S: Final = 0.5
"""Bounds the delay of work whose notification was missed."""
INITIAL_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 15.0
"""For one player or delivery that keeps failing."""
MAX_OUTAGE_BACKOFF_S: Final = 2.0
"""While a whole dependency is away; one small attempt probes it, so it may probe often."""

log = structlog.get_logger()


class Loop(Protocol):
    """Work that goes on until it is stopped, whatever happens to what it needs."""

    async def run(self) -> None: ...

    def stop(self) -> None:
        """Stop after the present batch."""


class WorkLoop:
    """Runs batches of one kind of work until it is stopped.

    `run_batch` returns whether more work is waiting; its exception is an outage of what it needs.
    A notification with the payload `wake_payload` wakes the loop; with None, none does. `close`
    runs after the last batch, and may fail.
    """

    def __init__(
        self,
        name: str,
        run_batch: Callable[[], Awaitable[bool]],
        *,
        wake_payload: str | None = FACTS_OR_UPDATES,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.wake_up = WakeUp()
        self.succeeded = asyncio.Event()
        """Set after the first batch that had what it needs."""
        self.wake_payload = wake_payload
        self._name = name
        self._run_one_batch = run_batch
        self._close = close
        self._failures = 0
        self._stopping = False

    async def run(self) -> None:
        while not self._stopping:
            self.wake_up.clear()
            if not await self._run_batch() and not self._stopping:
                await self.wake_up.wait(timeout_s=POLL_INTERVAL_S)
        await self._close_if_it_can()

    def stop(self) -> None:
        """Stop after the present batch."""
        self._stopping = True
        self.wake_up.set()

    async def _run_batch(self) -> bool:
        try:
            has_more = await self._run_one_batch()
        except Exception as fault:  # noqa: BLE001 - the courier outlives its dependencies
            await self._back_off(fault)
            return True
        if self._failures:
            log.info("courier_recovered", work=self._name, failures=self._failures)
        self._failures = 0
        self.succeeded.set()
        return has_more

    async def _close_if_it_can(self) -> None:
        if self._close is None:
            return
        try:
            await self._close()
        except Exception as fault:  # noqa: BLE001 - the process ends anyway
            log.warning("courier_not_closed", work=self._name, error=describe(fault))

    async def _back_off(self, fault: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("courier_waits", work=self._name, error=describe(fault))
        await asyncio.sleep(backoff_s(self._failures, max_s=MAX_OUTAGE_BACKOFF_S))


class WakeUp:
    """Event whose wait has a timeout; set any number of times, it wakes its loop once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, *, timeout_s: float) -> None:
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return


def backoff_s(failures: int, *, max_s: float = MAX_BACKOFF_S) -> float:
    """Return a delay that doubles with each failure, with jitter so that couriers spread out."""
    capped = min(max_s, INITIAL_BACKOFF_S * 2.0 ** min(failures - 1, 16))
    return capped * random.uniform(0.5, 1.0)  # noqa: S311 - a delay is not a secret
