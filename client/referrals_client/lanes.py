"""Bounded queue with a lane per player; only the first event of a lane is in flight."""

import heapq
from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import Final

from referrals_client.events import Event
from referrals_client.handover import DropReason

NEVER: Final = float("inf")


class Lanes:
    """Thread-safe queue. Each event from `take` must be passed to `settle` or `postpone`."""

    def __init__(self, max_events: int, *, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._lanes: dict[str, deque[Event]] = {}
        self._ready: deque[str] = deque()
        self._postponed: list[tuple[float, str]] = []
        self._early: set[str] = set()
        """Players whose first event is ahead of the service's clock."""
        self._count = self._bytes = 0
        self._early_count = self._early_bytes = 0
        self._is_open = True
        self._lock = Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, event: Event) -> DropReason | None:
        """Add an event; return the drop reason when it is not accepted."""
        with self._lock:
            if not self._is_open:
                return DropReason.CLOSED
            size = len(event.body)
            if self._count >= self._max_events or self._bytes + size > self._max_bytes:
                return DropReason.FULL
            if event.player_id in self._early:
                if not self._has_early_room(1, size):
                    return DropReason.FULL
                self._count_early(1, size)
            lane = self._lanes.setdefault(event.player_id, deque())
            if not lane:
                self._ready.append(event.player_id)
            lane.append(event)
            self._count += 1
            self._bytes += size
            return None

    def take(self, now: float) -> Event | None:
        """Return the first event of a lane that is ready, or None. `now` is monotonic seconds."""
        with self._lock:
            while self._postponed and self._postponed[0][0] <= now:
                self._ready.append(heapq.heappop(self._postponed)[1])
            while self._ready:
                lane = self._lanes.get(self._ready.popleft())
                if lane:
                    return lane[0]
            return None

    def settle(self, event: Event) -> None:
        """Remove a finished event, so that the player's next event becomes ready."""
        with self._lock:
            lane = self._lanes.get(event.player_id)
            if not lane or lane[0] is not event:
                return
            self._forget_early(event.player_id)
            lane.popleft()
            self._count -= 1
            self._bytes -= len(event.body)
            if lane:
                self._ready.append(event.player_id)
            else:
                del self._lanes[event.player_id]

    def postpone(self, event: Event, until: float) -> None:
        """Make an event ready again at `until`; the player's later events wait behind it."""
        with self._lock:
            heapq.heappush(self._postponed, (until, event.player_id))

    def postpone_early(self, event: Event, until: float) -> bool:
        """Postpone an event that is ahead of the service's clock, or return False.

        Lanes behind such events hold at most half of the queue, so that the rest stays free for
        other players. What exceeds it is left to the caller to settle.
        """
        with self._lock:
            lane = self._lanes.get(event.player_id)
            if lane and event.player_id not in self._early:
                count, size = len(lane), _size(lane)
                if not self._has_early_room(count, size):
                    return False
                self._early.add(event.player_id)
                self._count_early(count, size)
            heapq.heappush(self._postponed, (until, event.player_id))
            return True

    def next_ready_at(self) -> float:
        """Return when the first postponed lane becomes ready, in monotonic seconds."""
        with self._lock:
            return self._postponed[0][0] if self._postponed else NEVER

    def close(self) -> None:
        with self._lock:
            self._is_open = False

    def close_and_drain(self) -> list[Event]:
        """Close the queue, remove all events and return them, in order per player."""
        with self._lock:
            self._is_open = False
            left = [event for lane in self._lanes.values() for event in lane]
            self._lanes.clear()
            self._ready.clear()
            self._postponed.clear()
            self._early.clear()
            self._count = self._bytes = 0
            self._early_count = self._early_bytes = 0
            return left

    def _has_early_room(self, count: int, size: int) -> bool:
        # Rounded up, so that a queue of one event has room for one that is early.
        return (
            self._early_count + count <= (self._max_events + 1) // 2
            and self._early_bytes + size <= (self._max_bytes + 1) // 2
        )

    def _count_early(self, count: int, size: int) -> None:
        self._early_count += count
        self._early_bytes += size

    def _forget_early(self, player_id: str) -> None:
        if player_id in self._early:
            self._early.remove(player_id)
            lane = self._lanes[player_id]
            self._count_early(-len(lane), -_size(lane))


def _size(lane: Iterable[Event]) -> int:
    return sum(len(event.body) for event in lane)
