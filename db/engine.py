"""Connections to Postgres: one request, activity or message is one transaction."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Protocol, Self

from sqlalchemy import Executable, Result, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

STATEMENT_TIMEOUT_MS: Final = 8_000
"""Below the activities' start-to-close timeout, so that Postgres gives up before Temporal does."""
CONNECT_TIMEOUT_S: Final = 5


class ReadSession(AsyncSession):
    """What a query needs; a write does not accept it."""


class Session(ReadSession):
    """A transaction that may write; whoever opened it commits it."""


class StatementExecutor(Protocol):
    """What runs statements that may write: a session, or `Database.statement`."""

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
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self.engine.execution_options(postgresql_readonly=True)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, pool_size: int = 1) -> AsyncIterator[Self]:
        """Connect for the length of a block, and close all connections after it."""
        database = cls(url, pool_size=pool_size)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Commit what was done inside, or nothing of it."""
        async with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[StatementExecutor]:
        """For a single write: a transaction by itself, without a begin and a commit to wait for.

        A bare connection, because a session for one statement costs a third more time.
        """
        async with self._at_once.connect() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        async with ReadSession(self._reading, expire_on_commit=False) as session:
            yield session

    async def answers(self) -> bool:
        async with self.reading() as session:
            return bool((await session.execute(text("select 1"))).scalar_one())

    async def warm_up(self, warm_up_connection: Callable[[Session], Awaitable[None]]) -> None:
        """Open every connection, run the warm-up on each, and roll all of it back.

        Raises OSError and such when Postgres is away.
        """
        async with AsyncExitStack() as opened:
            sessions = [
                await opened.enter_async_context(Session(self.engine))
                for _ in range(self._pool_size)
            ]
            # All are waited for, because none may be closed while it is busy.
            warm_ups = (warm_up_connection(session) for session in sessions)
            results = await asyncio.gather(*warm_ups, return_exceptions=True)
        for fault in results:
            if fault is not None:
                raise fault

    async def close(self) -> None:
        await self.engine.dispose()
