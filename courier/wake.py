"""What wakes the courier: a notification from Postgres, or the clock where one was missed."""

import asyncio
from typing import Final

POLL_S: Final = 0.5


class WakeUp:
    """Rings once, however often it was rung since somebody last answered."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    def answer(self) -> None:
        self._rung.clear()

    async def rings(self, *, within_s: float) -> None:
        try:
            await asyncio.wait_for(self._rung.wait(), within_s)
        except TimeoutError:
            return
