"""Connections to Postgres: pools, sessions and transactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Protocol, Self

from sqlalchemy import Executable, Result
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

STATEMENT_TIMEOUT_MS: Final = 8_000
"""Below the activities' start-to-close timeout, so that Postgres gives up before Temporal does."""
CONNECT_TIMEOUT_S: Final = 5
"""For a new connection, and for a free one of the pool."""


class ReadSession(AsyncSession):
    """A session for queries; functions that write do not accept it."""


class Session(ReadSession):
    """A session for writes; only the code that opened it commits."""


class StatementExecutor(Protocol):
    """An executor of statements that may write: a session, or `Database.autocommit`."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[Any]: ...

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Any: ...  # noqa: ANN401 - as SQLAlchemy types it


class Database:
    def __init__(self, url: str, *, pool_size: int) -> None:
        self._pool_size = pool_size
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CONNECT_TIMEOUT_S,
            pool_pre_ping=False,
            # A fault is logged with its statement, never with what was stored.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "server_settings": {
                    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                    "idle_in_transaction_session_timeout": "30000",
                    "TimeZone": "UTC",
                    "jit": "off",
                },
            },
        )
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self.engine.execution_options(postgresql_readonly=True)
        self._snapshot = self._reading.execution_options(isolation_level="REPEATABLE READ")

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, pool_size: int = 1) -> AsyncIterator[Self]:
        """Open a database for a block and close its connections after it."""
        database = cls(url, pool_size=pool_size)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Commit at the end of the block, or roll back after an exception."""
        async with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[StatementExecutor]:
        """Open a connection on which each statement commits by itself, without extra round trips.

        Not a session, because one for a single statement costs a third more time.
        """
        async with self._autocommit.connect() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        async with ReadSession(self._reading, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """Read like `reading`, with one snapshot for all statements."""
        async with ReadSession(self._snapshot, expire_on_commit=False) as session:
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

    async def close(self) -> None:
        await self.engine.dispose()
