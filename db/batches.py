"""Coalesced statements: requests that arrive together share one, and each gets its own result."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from db.engine import Database, StatementExecutor
from db.faults import is_refused_value

MAX_BATCH: Final = 64
"""Requests a statement: bounds the time that each of them waits for the others."""
MAX_IN_FLIGHT: Final = 2
"""Batches at once: a slow one must not keep all other requests waiting."""
Request = TypeVar("Request")
Result = TypeVar("Result")
RunBatch = Callable[[StatementExecutor, Sequence[Request]], Awaitable[Sequence[Result]]]
"""Runs a batch in one statement, which commits or fails as a whole, and returns one result for each
request, in their order."""


@dataclass(frozen=True, slots=True)
class Pending(Generic[Request, Result]):
    """One request, and its result, which a caller waits for."""

    request: Request
    result: asyncio.Future[Result]


class Batches(Generic[Request, Result]):
    """Runs a request at once while fewer than MAX_IN_FLIGHT batches are under way.

    Later ones share the next batch. What Postgres refuses for a value is found by running its batch
    again one by one, so that it fails alone. The queue is as long as callers wait: the api bounds
    how many requests it has under way.
    """

    def __init__(self, database: Database, run_batch: RunBatch[Request, Result]) -> None:
        self._database = database
        self._run_batch = run_batch
        self._pending: deque[Pending[Request, Result]] = deque()
        self._in_flight = 0
        self._tasks: set[asyncio.Task[None]] = set()
        """Kept from the garbage collector; one is in here a little longer than it is counted."""

    async def submit(self, request: Request) -> Result:
        """Return the result once it is committed; a fault is raised as it occurred.

        A caller that is cancelled gives up its result, not the request.
        """
        loop = asyncio.get_running_loop()
        pending: Pending[Request, Result] = Pending(request, loop.create_future())
        self._pending.append(pending)
        if self._in_flight < MAX_IN_FLIGHT:
            self._in_flight += 1
            task = loop.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await pending.result

    async def _run(self) -> None:
        try:
            while self._pending:
                count = min(MAX_BATCH, len(self._pending))
                await self._settle([self._pending.popleft() for _ in range(count)])
        finally:
            # Without an await since nothing was pending, so that whoever comes now starts anew.
            self._in_flight -= 1

    async def _settle(self, batch: Sequence[Pending[Request, Result]]) -> None:
        """Give each request of a batch its result or its fault."""
        try:
            async with self._database.autocommit() as session:
                results = await self._run_batch(session, [pending.request for pending in batch])
            settled = list(zip(batch, results, strict=True))
        except Exception as fault:  # noqa: BLE001 - whatever it is, its callers answer for it
            if len(batch) > 1 and is_refused_value(fault):
                for pending in batch:
                    await self._settle([pending])
                return
            # A fault of ours, as while Postgres is away: trying again would keep callers waiting.
            for pending in batch:
                if not pending.result.done():
                    pending.result.set_exception(fault)
            return
        for pending, result in settled:
            if not pending.result.done():
                pending.result.set_result(result)
