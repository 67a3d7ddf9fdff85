"""So many a second and no more: what nobody waits for leaves room for the rest."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

MAX_BATCHES_PER_SECOND: Final = 10
"""Under load; what comes alone after a pause goes at once."""
MAX_BATCH_SIZE: Final = 64
SATURATED_AFTER_BATCHES: Final = 5
"""So many full rounds on end mean that they come faster than they are carried."""
SATURATED_RATE_SHARE: Final = 0.25
"""Of the pace, while a crowd comes: on a small machine the doors need the rest."""


class RateLimiter:
    """Each one that is spent takes its share of a second from the next round.

    The more there are, the less anybody waits for one of them: in a crowd it slows down.
    """

    def __init__(self, per_second: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock_s = clock_s
        self._next_s = 0.0
        self._full_batches = 0

    @property
    def batch_size(self) -> int:
        return max(1, min(MAX_BATCH_SIZE, round(self._per_second / MAX_BATCHES_PER_SECOND)))

    async def kept(self) -> None:
        """Wait until the earlier ones have had their time."""
        await asyncio.sleep(self.wait_s)

    @property
    def wait_s(self) -> float:
        return max(0.0, self._next_s - self._clock_s())

    def spend(self, count: int) -> None:
        self._full_batches = self._full_batches + 1 if count >= self.batch_size else 0
        share = SATURATED_RATE_SHARE if self._full_batches > SATURATED_AFTER_BATCHES else 1.0
        self._next_s = self._clock_s() + count / (self._per_second * share)
