"""The bounded queue: a lane for each player, of which only the first event is ever on its way."""

import heapq
from collections import deque
from threading import Lock
from typing import Final

from referrals_client.events import Event

NEVER: Final = float("inf")


class Lanes:
    """May be filled from any thread. What `take` gave comes back by `settle` or `postpone`."""

    def __init__(self, bound: int, *, max_bytes: int) -> None:
        self._bound = bound
        self._max_bytes = max_bytes
        self._lanes: dict[str, deque[Event]] = {}
        self._ready: deque[str] = deque()
        self._resting: list[tuple[float, str]] = []
        self._count = 0
        self._bytes = 0
        self._is_open = True
        self._lock = Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, event: Event) -> str | None:
        """Why it was not taken, or None."""
        with self._lock:
            if not self._is_open:
                return "closed"
            size = len(event.body)
            if self._count >= self._bound or self._bytes + size > self._max_bytes:
                return "full"
            lane = self._lanes.setdefault(event.player_id, deque())
            if not lane:
                self._ready.append(event.player_id)
            lane.append(event)
            self._count += 1
            self._bytes += size
            return None

    def take(self, now: float) -> Event | None:
        """The first event of a lane whose turn it is."""
        with self._lock:
            while self._resting and self._resting[0][0] <= now:
                self._ready.append(heapq.heappop(self._resting)[1])
            while self._ready:
                lane = self._lanes.get(self._ready.popleft())
                if lane:
                    return lane[0]
            return None

    def settle(self, event: Event) -> None:
        """It needs no more attempt; the next one of its player may go."""
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
        """Try it again later; its player's later events wait behind it."""
        with self._lock:
            heapq.heappush(self._resting, (until, event.player_id))

    def next_ready_at(self) -> float:
        """When the first of the postponed may go."""
        with self._lock:
            return self._resting[0][0] if self._resting else NEVER

    def close(self) -> None:
        with self._lock:
            self._is_open = False

    def empty(self) -> list[Event]:
        """Close, and take out everything that is left, in order per player."""
        with self._lock:
            self._is_open = False
            left = [event for lane in self._lanes.values() for event in lane]
            self._lanes.clear()
            self._ready.clear()
            self._resting.clear()
            self._count = self._bytes = 0
            return left
