"""Work that is asked for at the same time: written together, each answered after the commit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from db.engine import Database, StatementExecutor
from db.faults import is_refused_value

MAX_BATCH: Final = 64
MAX_FLIGHTS: Final = 2
"""Statements at once: a slow one must not keep all others waiting."""
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Write = Callable[[StatementExecutor, Sequence[Asked]], Awaitable[Sequence[Answer]]]
"""Writes a batch on a connection where each statement commits, and returns an answer for each."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Asked, Answer]):
    """One request, and its answer, which a caller waits for."""

    asked: Asked
    answer: asyncio.Future[Answer]


class Batches(Generic[Asked, Answer]):
    """Writes at once while little is being written, and what comes meanwhile together.

    What Postgres refuses is found by writing its batch again one by one, so that it fails alone.
    """

    def __init__(self, database: Database, write: Write[Asked, Answer]) -> None:
        self._database = database
        self._write_batch = write
        self._waiting: deque[Waiting[Asked, Answer]] = deque()
        self._flights = 0
        self._tasks: set[asyncio.Task[None]] = set()
        """Kept from the garbage collector; one is in here a little longer than it flies."""

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer once it is committed; a fault is raised as it occurred.

        A caller that is cancelled gives up its answer, not what it asked for.
        """
        loop = asyncio.get_running_loop()
        waiting: Waiting[Asked, Answer] = Waiting(asked, loop.create_future())
        self._waiting.append(waiting)
        if self._flights < MAX_FLIGHTS:
            self._flights += 1
            task = loop.create_task(self._fly())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.answer

    async def _fly(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            await self._write(batch)
        # Without an await since nothing was waiting, so that whoever comes now starts a flight.
        self._flights -= 1

    async def _write(self, batch: Sequence[Waiting[Asked, Answer]]) -> None:
        try:
            async with self._database.autocommit() as session:
                answers = await self._write_batch(session, [waiting.asked for waiting in batch])
        except Exception as fault:  # noqa: BLE001 - whatever it is, its callers answer for it
            if len(batch) > 1 and is_refused_value(fault):
                for waiting in batch:
                    await self._write([waiting])
                return
            # A fault of ours, as while Postgres is away: trying again would keep callers waiting.
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(fault)
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)
