"""Bounded queue with a lane per player; only the first event of a lane is in flight."""

import heapq
from collections import deque
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
        self._count = 0
        self._bytes = 0
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
            self._count = self._bytes = 0
            return left
