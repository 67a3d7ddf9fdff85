"""Simulated time: the story that is due next runs next, so that weeks pass in seconds."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any


class SimulatedClock:
    """The clock of one network, whose people act one at a time, in the order of their times.

    So a seed gives the same events at a network, however many other clocks run.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._due: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._idle = asyncio.Event()

    @property
    def next_at(self) -> datetime | None:
        """The time of the next act, or None when every story has ended."""
        return self._due[0][0] if self._due else None

    async def wait_until(self, at: datetime) -> None:
        """Suspend this story until `at`, while others of the network run."""
        turn = self._enqueue(at)
        self._idle.set()
        await turn

    def schedule(
        self, group: asyncio.TaskGroup, at: datetime, story: Coroutine[Any, Any, None]
    ) -> None:
        """Start a story in `group` whose first act is due at `at`."""
        group.create_task(self._run_story(self._enqueue(at), story))

    async def run_next(self) -> None:
        """Run the story that is due next until it waits again or ends."""
        self.now, _, turn = heappop(self._due)
        self._idle.clear()
        turn.set_result(None)
        await self._idle.wait()

    def _enqueue(self, at: datetime) -> asyncio.Future[None]:
        turn = asyncio.get_running_loop().create_future()
        heappush(self._due, (max(at, self.now), next(self._numbers), turn))
        return turn

    async def _run_story(
        self, turn: asyncio.Future[None], story: Coroutine[Any, Any, None]
    ) -> None:
        await turn
        try:
            await story
        finally:
            self._idle.set()


@asynccontextmanager
async def run_clocks(
    clocks: Sequence[SimulatedClock], *, concurrency: int
) -> AsyncIterator[asyncio.TaskGroup]:
    """Schedule stories inside; on exit, run the clocks, `concurrency` at a time, earliest first."""
    async with asyncio.TaskGroup() as group:
        yield group
        waiting = [(clock.next_at, number) for number, clock in enumerate(clocks) if clock.next_at]
        heapify(waiting)
        for _ in range(concurrency):
            group.create_task(_advance(clocks, waiting))


async def _advance(clocks: Sequence[SimulatedClock], waiting: list[tuple[datetime, int]]) -> None:
    while waiting:
        _, number = heappop(waiting)
        clock = clocks[number]
        await clock.run_next()
        if clock.next_at is not None:
            heappush(waiting, (clock.next_at, number))
