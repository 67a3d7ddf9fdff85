"""One kind of work, round after round: woken early, patient in an outage, stopped between two."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from courier.backoff import MAX_OUTAGE_BACKOFF_S, backoff_s
from courier.wake import POLL_S, WakeUp

log = structlog.get_logger()


class WorkLoop:
    """`one` answers whether more is waiting; its exception is an outage of what it needs.

    `wakes` is what a notification says that is meant for it.
    """

    def __init__(self, name: str, one: Callable[[], Awaitable[bool]], *, wakes: str = "") -> None:
        self.alarm = WakeUp()
        self.wakes = wakes
        self._name = name
        self._one = one
        self._failures = 0
        self._stopping = False

    def stop(self) -> None:
        """After the present round."""
        self._stopping = True
        self.alarm.ring()

    async def run(self) -> None:
        while not self._stopping:
            self.alarm.answer()
            if not await self._run_batch() and not self._stopping:
                await self.alarm.rings(within_s=POLL_S)

    async def _run_batch(self) -> bool:
        try:
            has_more = await self._one()
        except Exception as fault:  # noqa: BLE001 - the courier outlives whatever it leans on
            await self._back_off(fault)
            return True
        if self._failures:
            log.info("courier_recovered", work=self._name, failures=self._failures)
        self._failures = 0
        return has_more

    async def _back_off(self, fault: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("courier_waits", work=self._name, error=repr(fault))
        await asyncio.sleep(backoff_s(self._failures, longest_s=MAX_OUTAGE_BACKOFF_S))
