"""Coalesced statements: requests that arrive together share one, and each gets its own result."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from db.address import CONNECT_TIMEOUT_S
from db.engine import Database, StatementExecutor
from db.faults import DATABASE_FAULTS, is_conflict, is_refused_value

MAX_BATCH: Final = 64
"""Requests a statement: bounds the time that each of them waits for the others."""
MAX_IN_FLIGHT: Final = 2
"""Batches at once, without those that are overdue."""
OVERDUE_S: Final = 0.5
"""Seconds after which another batch may begin beside one that has no answer: it may wait for a
lock, or for a server that has gone away without a word."""
MAX_WAIT_S: Final = CONNECT_TIMEOUT_S
"""Seconds that a request waits for its batch, as for a connection of a pool."""
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
    since_s: float
    """Time of the loop's clock at which it was submitted."""


class Batches(Generic[Request, Result]):
    """Runs a request at once while fewer than MAX_IN_FLIGHT batches are under way.

    Later ones share the next batch. One that fails for a value, or that another transaction was in
    the way of, is run again request by request, so that the others do not fail with it.
    """

    def __init__(
        self,
        database: Database,
        run_batch: RunBatch[Request, Result],
        *,
        deadline_s: float | None = None,
        max_wait_s: float = MAX_WAIT_S,
        drops_abandoned: bool = False,
    ) -> None:
        """Take what runs a batch, and how many seconds it may take, with the wait for a connection.

        `max_wait_s` bounds the wait of a request for its batch. With `drops_abandoned`, one whose
        caller has gone away by then is left out.
        """
        self._database = database
        self._run_batch = run_batch
        self._deadline_s = deadline_s
        self._max_wait_s = max_wait_s
        self._drops_abandoned = drops_abandoned
        self._pending: deque[Pending[Request, Result]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        """Kept from the garbage collector."""
        self._under_way: set[asyncio.Task[None]] = set()
        """Those that are not overdue."""

    async def submit(self, request: Request, *, patience_s: float = 0.0) -> Result:
        """Return the result once it is committed; a fault is raised as it occurred.

        With `patience_s`, a request waits as long for a batch that others begin, and begins none of
        its own before. Raises TimeoutError for a request that waited too long for its batch. A
        caller that is cancelled gives up its result, not the request.
        """
        loop = asyncio.get_running_loop()
        pending: Pending[Request, Result] = Pending(request, loop.create_future(), loop.time())
        self._pending.append(pending)
        if patience_s:
            loop.call_later(patience_s, self._start)
        else:
            self._start()
        return await pending.result

    def _start(self) -> None:
        """Begin a batch if there is need of one; it takes its requests once its task runs."""
        if not self._pending or len(self._under_way) >= MAX_IN_FLIGHT:
            return
        loop = asyncio.get_running_loop()
        # Without the context of whoever came first: its trace and its log's fields.
        task = loop.create_task(self._fly(), context=Context())
        self._tasks.add(task)
        self._under_way.add(task)
        overdue = loop.call_later(OVERDUE_S, self._make_room, task)

        def end(task: asyncio.Task[None]) -> None:
            overdue.cancel()
            self._tasks.discard(task)
            self._make_room(task)

        task.add_done_callback(end)

    def _make_room(self, task: asyncio.Task[None]) -> None:
        """Begin another batch in the place of one that has ended, or is overdue."""
        self._under_way.discard(task)
        self._start()

    async def _fly(self) -> None:
        batch = self._take()
        try:
            await self._settle(batch)
        finally:
            for pending in batch:
                # Whatever ended this task has answered nobody.
                pending.result.cancel()

    def _take(self) -> Sequence[Pending[Request, Result]]:
        """Take the next requests, without those that have waited too long or need no result."""
        now_s = asyncio.get_running_loop().time()
        batch: list[Pending[Request, Result]] = []
        while self._pending and len(batch) < MAX_BATCH:
            pending = self._pending.popleft()
            if pending.result.done() and self._drops_abandoned:
                continue
            if now_s - pending.since_s > self._max_wait_s:
                _fail(pending, TimeoutError("a request waited too long for its batch"))
                continue
            batch.append(pending)
        return batch

    async def _settle(self, batch: Sequence[Pending[Request, Result]]) -> None:
        """Give each request of a batch its result or its fault."""
        if not batch:
            return
        try:
            async with asyncio.timeout(self._deadline_s), self._database.autocommit() as session:
                results = await self._run_batch(session, [pending.request for pending in batch])
            settled = list(zip(batch, results, strict=True))
        except Exception as fault:  # noqa: BLE001 - whatever it is, its callers answer for it
            if len(batch) > 1 and _may_be_of_one(fault):
                await asyncio.gather(*(self._settle([pending]) for pending in batch))
                return
            # A fault of ours, as while Postgres is away: trying again would keep callers waiting.
            for pending in batch:
                _fail(pending, fault)
            return
        for pending, result in settled:
            if not pending.result.done():
                pending.result.set_result(result)


def _may_be_of_one(fault: Exception) -> bool:
    """Return whether one request may have failed its batch, and not the server, or the schema."""
    is_ours = not isinstance(fault, DATABASE_FAULTS)
    return is_ours or is_refused_value(fault) or is_conflict(fault)


def _fail(pending: Pending[Request, Result], fault: Exception) -> None:
    if not pending.result.done():
        pending.result.set_exception(fault)
