"""So many a second and no more: what nobody waits for leaves room for the rest."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

ROUNDS_A_SECOND: Final = 10
"""Under load; what comes alone after a pause goes at once."""
MOST_A_ROUND: Final = 64
CROWD_A_SECOND: Final = 20
"""Those who come faster than that are a crowd, whose clicks need the machine now."""
REMEMBERED_S: Final = 0.5
"""How long somebody's coming counts for a crowd, less and less."""
CROWD_SHARE: Final = 0.25
"""Of the pace, while a crowd comes; once it is gone, the rest goes at the full one."""


class Pace:
    """Each one that is spent takes its share of a second from the next round."""

    def __init__(self, per_second: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._full = per_second
        self._clock_s = clock_s
        self._next_s = 0.0
        self._heard = 0.0
        self._heard_at_s = clock_s()

    def hear(self) -> None:
        """One more has come just now."""
        self._heard = self._heard_lately() + 1
        self._heard_at_s = self._clock_s()

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
        self._next_s = self._clock_s() + count / self._per_second

    @property
    def _per_second(self) -> float:
        is_crowd = self._heard_lately() > CROWD_A_SECOND * REMEMBERED_S
        return self._full * CROWD_SHARE if is_crowd else self._full

    def _heard_lately(self) -> float:
        passed_s = self._clock_s() - self._heard_at_s
        return self._heard * math.exp(-passed_s / REMEMBERED_S)
