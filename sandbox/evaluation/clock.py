"""Simulated time: whoever is due next goes on, so that days of many people pass in seconds."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any


class Lane:
    """The time of one place: its people act one after the other, in the order of their times.

    What happens at a place is therefore the same for a seed, however many lanes go on beside it.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._due: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._rested = asyncio.Event()

    @property
    def next_at(self) -> datetime | None:
        """When somebody acts next; None when everybody's story has been told."""
        return self._due[0][0] if self._due else None

    async def until(self, at: datetime) -> None:
        """Let the others of this place go on until then."""
        turn = self._enqueue(at)
        self._rested.set()
        await turn

    def begin(
        self, group: asyncio.TaskGroup, at: datetime, story: Coroutine[Any, Any, None]
    ) -> None:
        group.create_task(self._tell(self._enqueue(at), story))

    async def run_next(self) -> None:
        """Give the next one their turn, until they wait for something again or are done."""
        self.now, _, turn = heappop(self._due)
        self._rested.clear()
        turn.set_result(None)
        await self._rested.wait()

    def _enqueue(self, at: datetime) -> asyncio.Future[None]:
        turn = asyncio.get_running_loop().create_future()
        heappush(self._due, (max(at, self.now), next(self._numbers), turn))
        return turn

    async def _tell(self, turn: asyncio.Future[None], story: Coroutine[Any, Any, None]) -> None:
        await turn
        try:
            await story
        finally:
            self._rested.set()


@asynccontextmanager
async def passing(lanes: Sequence[Lane], *, at_once: int) -> AsyncIterator[asyncio.TaskGroup]:
    """Begin stories inside; on leaving, the lanes go on, `at_once` of them, the earliest first."""
    async with asyncio.TaskGroup() as group:
        yield group
        waiting = [(lane.next_at, number) for number, lane in enumerate(lanes) if lane.next_at]
        heapify(waiting)
        for _ in range(at_once):
            group.create_task(_advance(lanes, waiting))


async def _advance(lanes: Sequence[Lane], waiting: list[tuple[datetime, int]]) -> None:
    while waiting:
        _, number = heappop(waiting)
        lane = lanes[number]
        await lane.run_next()
        if lane.next_at is not None:
            heappush(waiting, (lane.next_at, number))
