"""Connections to Postgres: pools, sessions and transactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from sqlalchemy import Executable, Result, ScalarResult, TextClause, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlalchemy.orm import SessionTransaction
from sqlalchemy.pool import QueuePool

from db.address import CONNECT_TIMEOUT_S, SCHEME, DatabaseAddress
from db.connecting import connect
from db.notifications import CHANNEL
from db.pool_events import drop_useless_connections, learn_arrays, replace_ended_connection
from db.statements import text_statements
from db.traces import watch_statements
from db.wakes import NOTIFY, Waker, wakes_of

STATEMENT_TIMEOUT_MS: Final = 8_000
"""Below the activities' start-to-close timeout, so that Postgres gives up before Temporal does."""
COMMAND_TIMEOUT_S: Final = 9.0
"""Deadline of a statement in the client, for a server that does not answer at all: longer than
STATEMENT_TIMEOUT_MS, so that a server that can answer says why."""
ANSWER_GRACE_S: Final = 5.0
"""The same beyond a longer limit: seconds that a server has to report that it ended a statement."""
CLOSE_TIMEOUT_S: Final = 3.0
"""For the polite end of every connection of a pool, of which some may be dead."""
SESSION_SETTINGS: Final = {
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": "30000",
    "TimeZone": "UTC",
    "jit": "off",
}


class ReadSession(AsyncSession):
    """A session for queries; functions that write do not accept it."""

    _begun: tuple[SessionTransaction, Connection] | None = None
    """The transaction and its connection, once a statement of text was executed in it."""

    if not TYPE_CHECKING:  # for it, the overloads of AsyncSession hold

        async def execute(
            self, statement: Executable, params: object = None, **options: object
        ) -> Result[Any]:
            if type(statement) is TextClause and not options and not isinstance(params, list):
                connection = await self._connection()
                if text_statements.is_for_driver(statement, connection):
                    return await text_statements.execute(connection, statement, params)
            return await super().execute(statement, params, **options)

        async def scalar(
            self, statement: Executable, params: object = None, **options: object
        ) -> object:
            if type(statement) is TextClause:
                return (await self.execute(statement, params, **options)).scalar()
            return await super().scalar(statement, params, **options)

        async def scalars(
            self, statement: Executable, params: object = None, **options: object
        ) -> ScalarResult[Any]:
            if type(statement) is TextClause:
                return (await self.execute(statement, params, **options)).scalars()
            return await super().scalars(statement, params, **options)

    async def _connection(self) -> Connection:
        """Return the connection of the innermost transaction, which begins with its first use."""
        begun = self._innermost()
        if begun is None or self._begun is None or self._begun[0] is not begun:
            connection = (await self.connection()).sync_connection
            begun = self._innermost()
            if connection is None or begun is None:
                raise RuntimeError("a session has no transaction after its connection began one")
            self._begun = (begun, connection)
        return self._begun[1]

    def _innermost(self) -> SessionTransaction | None:
        session = self.sync_session
        return session.get_nested_transaction() or session.get_transaction()


class Session(ReadSession):
    """A session for writes; only the code that opened it commits."""


class StatementExecutor(Protocol):
    """An executor of statements that may write: a session, or `Database.autocommit`."""

    @property
    def info(self) -> dict[Any, Any]: ...

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]: ...

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Any: ...  # noqa: ANN401 - as SQLAlchemy types it


class Autocommit:
    """A connection on which each statement commits by itself."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.info: dict[Any, Any] = {}
        """Of this use of the connection alone."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]:
        connection = self._connection.sync_connection
        if connection is None or connection.invalidated:
            # SQLAlchemy would take another one, on which nothing commits by itself.
            raise PendingRollbackError("the connection is lost: open another one")
        if type(statement) is TextClause and text_statements.is_for_driver(statement, connection):
            return await text_statements.execute(connection, statement, parameters)
        return await self._connection.execute(statement, parameters)

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Any:  # noqa: ANN401 - as SQLAlchemy types it
        return (await self.execute(statement, parameters)).scalar()


class Database:
    """A pool of connections; a statement without an answer ends its connection, not the process.

    `command_timeout_s` is the deadline of each statement in the client, `pool_timeout_s` that of
    the wait for a connection.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
        pool_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._pool_size = pool_size
        self._url = url
        self._probe: Database | None = None
        self.engine = _create_engine(
            url,
            pool_size=pool_size,
            command_timeout_s=command_timeout_s,
            pool_timeout_s=pool_timeout_s,
        )
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self.engine.execution_options(postgresql_readonly=True)
        self._snapshot = self._reading.execution_options(isolation_level="REPEATABLE READ")
        self._waker = Waker(self._notify)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, pool_size: int = 1, command_timeout_s: float = COMMAND_TIMEOUT_S
    ) -> AsyncIterator[Self]:
        """Open a database for a block and close its connections after it."""
        database = cls(url, pool_size=pool_size, command_timeout_s=command_timeout_s)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Commit at the end of the block, or roll back after an exception.

        Then the courier is woken, where `wake_after_commit` asked for it.
        """
        async with Session(self.engine, expire_on_commit=False) as session:
            async with session.begin():
                yield session
            self._waker.wake(wakes_of(session))

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[StatementExecutor]:
        """Open a connection on which each statement commits by itself, without extra round trips.

        Not a session, because one for a single statement costs a third more time.
        """
        async with self._autocommit.connect() as connection:
            executor = Autocommit(connection)
            yield executor
        self._waker.wake(wakes_of(executor))

    async def finds(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> bool:
        """Return whether a query answers with true, in one round trip, as for a poll."""
        async with self._autocommit.connect() as connection:
            return await Autocommit(connection).scalar(statement, parameters) is True

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        async with ReadSession(self._reading, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """Read like `reading`, with one snapshot for all statements."""
        async with ReadSession(self._snapshot, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[ReadSession]:
        """Read on a connection that no other work uses, so that a busy pool delays no probe."""
        if self._probe is None:
            self._probe = Database(self._url, pool_size=1)
        async with ReadSession(self._probe.engine) as session:
            yield session

    async def warm_up(self, warm_up_connection: Callable[[Session], Awaitable[None]]) -> None:
        """Open every connection of the pool, run the warm-up on each, and roll back.

        Raises DATABASE_FAULTS when Postgres is away.
        """
        async with AsyncExitStack() as opened:
            sessions = [
                await opened.enter_async_context(Session(self.engine))
                for _ in range(self._pool_size)
            ]
            # Wait for all of them: no connection may be closed while it is busy.
            warm_ups = (warm_up_connection(session) for session in sessions)
            results = await asyncio.gather(*warm_ups, return_exceptions=True)
        for fault in results:
            if fault is not None:
                raise fault

    async def _notify(self, payloads: Collection[str]) -> None:
        async with self._autocommit.connect() as connection:
            await Autocommit(connection).execute(
                NOTIFY, {"channel": CHANNEL, "payloads": list(payloads)}
            )

    def connections_in_use(self) -> int:
        """Return how many connections of the pool are lent out now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def close(self) -> None:
        """Close every connection; a server that does not answer is not waited for."""
        await self._waker.close()
        if self._probe is not None:
            await self._probe.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self.engine.dispose()


def _create_engine(
    url: str, *, pool_size: int, command_timeout_s: float, pool_timeout_s: float
) -> AsyncEngine:
    address = DatabaseAddress.parse(url)
    creator = partial(
        connect, address, settings=SESSION_SETTINGS, command_timeout_s=command_timeout_s
    )
    engine = create_async_engine(
        f"{SCHEME}://",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=False,
        # The connection used last has its statements planned and its pages at hand.
        pool_use_lifo=True,
        # A fault is logged with its statement, never with what was stored.
        hide_parameters=True,
        connect_args={
            "async_creator_fn": creator,
            "prepared_statement_cache_size": address.prepared_statement_cache_size,
        },
    )
    event.listen(engine.sync_engine, "connect", learn_arrays)
    event.listen(engine.sync_engine, "handle_error", drop_useless_connections)
    event.listen(engine.sync_engine, "checkout", replace_ended_connection)
    watch_statements(engine.sync_engine)
    return engine
