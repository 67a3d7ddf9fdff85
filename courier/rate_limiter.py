"""So many a second and no more: what nobody waits for leaves room for the rest."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

ROUNDS_A_SECOND: Final = 10
"""Under load; what comes alone after a pause goes at once."""
MOST_A_ROUND: Final = 64
CROWD_AFTER_ROUNDS: Final = 5
"""So many full rounds on end mean that they come faster than they are carried."""
CROWD_SHARE: Final = 0.25
"""Of the pace, while a crowd comes: on a small machine the doors need the rest."""


class Pace:
    """Each one that is spent takes its share of a second from the next round.

    The more there are, the less anybody waits for one of them: in a crowd it slows down.
    """

    def __init__(self, per_second: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock_s = clock_s
        self._next_s = 0.0
        self._full_rounds = 0

    @property
    def a_round(self) -> int:
        return max(1, min(MOST_A_ROUND, round(self._per_second / ROUNDS_A_SECOND)))

    async def kept(self) -> None:
        """Wait until the earlier ones have had their time."""
        await asyncio.sleep(self.wait_s)

    @property
    def wait_s(self) -> float:
        return max(0.0, self._next_s - self._clock_s())

    def spend(self, count: int) -> None:
        self._full_rounds = self._full_rounds + 1 if count >= self.a_round else 0
        share = CROWD_SHARE if self._full_rounds > CROWD_AFTER_ROUNDS else 1.0
        self._next_s = self._clock_s() + count / (self._per_second * share)
