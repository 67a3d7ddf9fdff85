"""Takes events from their lanes and delivers each until it is accepted or refused."""

import asyncio
import time
from typing import Final

from referrals_client.events import Event
from referrals_client.lanes import Lanes
from referrals_client.limits import Limits
from referrals_client.outcomes import Ok, Refused, Unavailable
from referrals_client.telling import Telling
from referrals_client.wire import Wire

MAX_IDLE_S: Final = 60.0


class Sender:
    """A few tasks that share one pause: while the service is away none of them hammers it."""

    def __init__(self, lanes: Lanes, wire: Wire, limits: Limits, telling: Telling) -> None:
        self._lanes = lanes
        self._wire = wire
        self._limits = limits
        self._telling = telling
        self._wake_up = asyncio.Event()
        self._settled = asyncio.Event()
        self._attempts: dict[str, int] = {}
        self._failures = 0
        self._paused_until = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._limits.senders):
                group.create_task(self._work())

    def ring(self) -> None:
        """There is something to send; call it in the loop that runs."""
        self._wake_up.set()

    async def emptied(self) -> None:
        """Return when nothing is left."""
        while len(self._lanes):
            self._settled.clear()
            await self._settled.wait()

    async def _work(self) -> None:
        while True:
            now = time.monotonic()
            if now < self._paused_until:
                await asyncio.sleep(self._paused_until - now)
            elif event := self._lanes.take(now):
                await self._deliver(event)
            else:
                await self._rung()

    async def _rung(self) -> None:
        self._wake_up.clear()
        left_s = min(MAX_IDLE_S, self._lanes.next_ready_at() - time.monotonic())
        try:
            async with asyncio.timeout(left_s):
                await self._wake_up.wait()
        except TimeoutError:
            return

    async def _deliver(self, event: Event) -> None:
        within_s = self._limits.attempt_s
        outcome = await self._wire.tell(event.path, event.body, within_s=within_s)
        if isinstance(outcome, Unavailable):
            self._postpone(event, outcome)
            return
        self._failures = 0
        self._attempts.pop(event.player_id, None)
        self._lanes.settle(event)
        self._settled.set()
        self._record_outcome(event, outcome)

    def _record_outcome(self, event: Event, outcome: Ok[object] | Refused) -> None:
        if isinstance(outcome, Ok):
            self._telling.accepted(outcome.value)
        else:
            self._telling.refused(event.door, event.event_id, outcome, event)

    def _postpone(self, event: Event, failure: Unavailable) -> None:
        """Its player waits the longer the more often it fails, and everybody waits a moment."""
        now = time.monotonic()
        if now >= self._paused_until:
            # Attempts that were under way together fail together, and count once.
            self._failures += 1
        pause_s = self._limits.pause_s(self._failures, failure.retry_after_s)
        self._paused_until = max(self._paused_until, now + pause_s)
        attempts = self._attempts[event.player_id] = self._attempts.get(event.player_id, 0) + 1
        player_pause_s = self._limits.pause_s(attempts, failure.retry_after_s)
        self._lanes.postpone(event, now + player_pause_s)
        self._telling.failed(failure)
