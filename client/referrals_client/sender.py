"""Delivery of queued events, retried until each is accepted or rejected."""

import asyncio
import time
from typing import Final

from referrals_client.events import Event
from referrals_client.handover import DropReason
from referrals_client.lanes import Lanes
from referrals_client.limits import Limits
from referrals_client.observer import DeliveryObserver
from referrals_client.outcomes import Ok, Refused, Unavailable
from referrals_client.wire import Wire

MAX_IDLE_S: Final = 60.0
"""Bounds the wait for a wake-up, in seconds."""


class Sender:
    """Sender tasks with a shared backoff, so that an outage is not met by all of them at once."""

    def __init__(
        self, lanes: Lanes, wire: Wire, limits: Limits, observer: DeliveryObserver
    ) -> None:
        self._lanes = lanes
        self._wire = wire
        self._limits = limits
        self._observer = observer
        self._wake_up = asyncio.Event()
        self._settled = asyncio.Event()
        self._attempts: dict[str, int] = {}
        self._failures = 0
        self._paused_until = 0.0

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._limits.senders):
                group.create_task(self._send_events())

    def wake(self) -> None:
        """Wake a waiting task; call it in the running event loop."""
        self._wake_up.set()

    async def wait_until_empty(self) -> None:
        """Return when the queue is empty."""
        while len(self._lanes):
            self._settled.clear()
            await self._settled.wait()

    async def _send_events(self) -> None:
        while True:
            now = time.monotonic()
            if now < self._paused_until:
                await asyncio.sleep(self._paused_until - now)
            elif event := self._lanes.take(now):
                await self._deliver(event)
            else:
                await self._wait_for_work()

    async def _wait_for_work(self) -> None:
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
            if outcome.is_too_early:
                self._postpone_early(event, outcome)
            else:
                self._postpone(event, outcome)
            return
        self._failures = 0
        self._settle(event)
        self._record_outcome(event, outcome)

    def _settle(self, event: Event) -> None:
        self._attempts.pop(event.player_id, None)
        self._lanes.settle(event)
        self._settled.set()

    def _record_outcome(self, event: Event, outcome: Ok[object] | Refused) -> None:
        if isinstance(outcome, Ok):
            self._observer.record_accepted(outcome.value)
        else:
            self._observer.record_refusal(event.door, event.event_id, outcome, event)

    def _postpone(self, event: Event, failure: Unavailable) -> None:
        """Back off all senders by recent failures, and the player by its own attempts."""
        now = time.monotonic()
        if now >= self._paused_until:
            # Attempts that were in flight together fail together, and count once.
            self._failures += 1
        pause_s = self._limits.pause_s(self._failures, failure.retry_after_s)
        self._paused_until = max(self._paused_until, now + pause_s)
        self._lanes.postpone(event, now + self._player_pause_s(event, failure))
        self._observer.record_failure(failure)

    def _postpone_early(self, event: Event, failure: Unavailable) -> None:
        """Back off the player alone, because the answer says nothing about other events."""
        self._observer.record_early(event)
        ready_at = time.monotonic() + self._player_pause_s(event, failure)
        if not self._lanes.postpone_early(event, ready_at):
            self._settle(event)
            self._observer.record_drop(event, DropReason.FULL)

    def _player_pause_s(self, event: Event, failure: Unavailable) -> float:
        attempts = self._attempts[event.player_id] = self._attempts.get(event.player_id, 0) + 1
        return self._limits.pause_s(attempts, failure.retry_after_s)
