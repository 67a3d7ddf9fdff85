"""Rate limiter for low-priority work: starting the workflows of invitations."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

MAX_BATCHES_PER_SECOND: Final = 10
"""Under load; a single item after a pause goes at once."""
MAX_BATCH_SIZE: Final = 64
SATURATED_AFTER_BATCHES: Final = 5
"""Consecutive full batches after which items arrive faster than they are carried."""
SATURATED_RATE_SHARE: Final = 0.25
"""Share of the rate used while saturated: on a small machine the doors need the rest."""
PATIENCE_S: Final = 600.0
"""Time for which one share is used: a crowd that stays longer is not a crowd, and what waits must
not grow without an end."""
SHARE_FACTOR: Final = 4.0
"""Growth of the share after each such time."""
MAX_PERIODS: Final = 3
"""Bounds the load on Temporal at 16 times the rate, whatever waits."""


class RateLimiter:
    """Delays the next batch by the time that the items of the last one take at the given rate.

    A saturated limiter slows down, because nobody waits for a single one of many items. One that
    stays saturated speeds up again, beyond its rate in the end.
    """

    def __init__(self, per_second: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock_s = clock_s
        self._next_s = 0.0
        self._full_batches = 0
        self._saturated_s: float | None = None
        """Time since which it is saturated."""

    @property
    def batch_size(self) -> int:
        return max(1, min(MAX_BATCH_SIZE, round(self._per_second / MAX_BATCHES_PER_SECOND)))

    async def wait(self) -> None:
        """Wait until the next batch may begin."""
        await asyncio.sleep(self.wait_s)

    @property
    def wait_s(self) -> float:
        return max(0.0, self._next_s - self._clock_s())

    def consume(self, count: int) -> None:
        """Count the items of a batch that has begun."""
        self._full_batches = self._full_batches + 1 if count >= self.batch_size else 0
        self._next_s = self._clock_s() + count / (self._per_second * self._share())

    def _share(self) -> float:
        if self._full_batches <= SATURATED_AFTER_BATCHES:
            self._saturated_s = None
            return 1.0
        if self._saturated_s is None:
            self._saturated_s = self._clock_s()
        periods = int((self._clock_s() - self._saturated_s) / PATIENCE_S)
        return SATURATED_RATE_SHARE * SHARE_FACTOR ** min(periods, MAX_PERIODS)
