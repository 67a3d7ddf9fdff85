"""A backend that freezes: every statement on it ends in the client, and others go on."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from db.engine import Database
from db.faults import DATABASE_FAULTS, is_transient
from db.notifications import CHANNEL, listen
from tests.db.faults.freezing import backend_of, frozen
from tests.fixtures.databases import DatabaseUrls

DEADLINE_S = 0.5
BOUND_S = 30.0


async def test_a_statement_on_a_frozen_backend_fails_at_its_deadline(
    shared_urls: DatabaseUrls,
) -> None:
    async with Database.open(shared_urls.application, command_timeout_s=DEADLINE_S) as database:
        async with database.reading() as session:
            pid = await backend_of(session)
        async with frozen(pid), asyncio.timeout(BOUND_S):
            with pytest.raises(DATABASE_FAULTS) as fault:
                await _write(database)

            # The pool of one has replaced its connection.
            await _write(database)

    assert is_transient(fault.value)


async def test_a_commit_on_a_frozen_backend_fails_at_its_deadline(
    shared_urls: DatabaseUrls,
) -> None:
    async with (
        Database.open(shared_urls.application, command_timeout_s=DEADLINE_S) as database,
        AsyncExitStack() as stopped,
        asyncio.timeout(BOUND_S),
    ):
        with pytest.raises(DATABASE_FAULTS):
            await _freeze_before_the_commit(database, stopped)


async def test_closing_does_not_wait_for_a_frozen_backend(shared_urls: DatabaseUrls) -> None:
    database = Database(shared_urls.application, pool_size=1)
    async with database.reading() as session:
        pid = await backend_of(session)
    async with frozen(pid), asyncio.timeout(BOUND_S):
        await database.close()


async def test_a_listener_leaves_a_frozen_backend(
    fresh_urls: DatabaseUrls, fresh_superuser: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.notifications.HEARTBEAT_S", 0.1)
    monkeypatch.setattr("db.notifications.ANSWER_TIMEOUT_S", DEADLINE_S)
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    listening = asyncio.create_task(listen(fresh_urls.application, heard.put_nowait))
    async with asyncio.timeout(2 * BOUND_S):
        assert await heard.get() is None
        async with frozen(await _listener(fresh_superuser)):
            assert await heard.get() is None
            async with fresh_superuser.transaction() as session:
                await session.execute(text(f"notify {CHANNEL}, 'news'"))
            assert await heard.get() == "news"
    listening.cancel()


async def _freeze_before_the_commit(database: Database, stopped: AsyncExitStack) -> None:
    async with database.transaction() as session:
        await stopped.enter_async_context(frozen(await backend_of(session)))


async def _write(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("create temporary table if not exists seen (id int)"))


async def _listener(superuser: Database) -> int:
    async with superuser.reading() as session:
        pid: int = (
            await session.execute(
                text("""
                    select pid from pg_stat_activity
                     where datname = current_database() and usename = 'referrals_app'
                """)
            )
        ).scalar_one()
    return pid
