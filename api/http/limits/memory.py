"""Rate-limit windows that one process remembers: a full one needs no query, nor does an outage."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from db.rate_windows import Window

MAX_WINDOWS: Final = 20_000
"""Windows that are remembered, full ones and others each; the oldest make room."""


@dataclass(frozen=True, slots=True)
class WindowLimit:
    """A window's key, and how many hits it takes in its length."""

    key: str
    amount: int
    length: timedelta


@dataclass(slots=True)
class _Remembered:
    """One window: hits of this process, and at least how many the other copies had in it."""

    began_at: datetime
    ends_at: datetime
    own_hits: int = 0
    other_hits: int = 0

    @property
    def hits(self) -> int:
        return self.own_hits + self.other_hits


class WindowMemory:
    """The last known count of each window; never more than Postgres would count.

    Hits of this process are counted before Postgres is asked. What Postgres then counts beyond them
    are hits of other copies of the api.
    """

    def __init__(self, *, max_windows: int = MAX_WINDOWS) -> None:
        self._max_windows = max_windows
        self._open: dict[str, _Remembered] = {}
        self._full: dict[str, _Remembered] = {}

    def full_until(self, limit: WindowLimit, *, now: datetime) -> datetime | None:
        """Return the end of a full window, or None while it takes another hit."""
        window = self._find(limit.key, now=now)
        if limit.amount == 0:
            return window.ends_at if window else now + limit.length
        return window.ends_at if window and window.hits >= limit.amount else None

    def count_hit(self, limit: WindowLimit, *, now: datetime) -> None:
        window = self._find(limit.key, now=now) or _Remembered(now, now + limit.length)
        window.own_hits += 1
        self._keep(limit, window)

    def learn(self, limit: WindowLimit, counted: Window, *, now: datetime) -> None:
        """Take over what Postgres counted, unless it counted a window that has ended here."""
        window = self._find(limit.key, now=now) or _Remembered(now, counted.ends_at)
        if counted.ends_at > window.began_at:
            window.ends_at = min(window.ends_at, counted.ends_at)
            window.other_hits = max(window.other_hits, counted.hits - window.own_hits)
        self._keep(limit, window)

    def _find(self, key: str, *, now: datetime) -> _Remembered | None:
        window = self._full.get(key) or self._open.get(key)
        if window is None or window.ends_at > now:
            return window
        self._full.pop(key, None)
        self._open.pop(key, None)
        return None

    def _keep(self, limit: WindowLimit, window: _Remembered) -> None:
        """Keep full windows apart, so that a flood of new ones does not displace them."""
        is_full = window.hits >= limit.amount
        if is_full:
            self._open.pop(limit.key, None)
        kept = self._full if is_full else self._open
        kept[limit.key] = window
        if len(kept) > self._max_windows:
            del kept[next(iter(kept))]
