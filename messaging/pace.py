"""So many a second and no more: what nobody waits for leaves room for the rest."""

import asyncio
import time
from typing import Final

ROUNDS_A_SECOND: Final = 10
"""Under load; what comes alone after a pause goes at once."""
MOST_A_ROUND: Final = 64


class Pace:
    """Each one that is spent takes its share of a second from the next round."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._next_s = 0.0

    @property
    def a_round(self) -> int:
        return max(1, min(MOST_A_ROUND, round(self._per_second / ROUNDS_A_SECOND)))

    async def kept(self) -> None:
        """Wait until the earlier ones have had their time."""
        await asyncio.sleep(max(0.0, self._next_s - time.monotonic()))

    def spend(self, count: int) -> None:
        self._next_s = time.monotonic() + count / self._per_second
