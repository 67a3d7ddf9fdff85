"""Statements of text on the driver: the same answers and faults as by SQLAlchemy's own way."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import bindparam, event, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError

from db.engine import Database, Session
from db.statements.text_statements import TextResult, text_of
from db.tables import Player
from sandbox.sportsbook.polling import wait_until

TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = UUID("5b0e4f2a-6f0e-4f4b-9a55-0d6f4f7f0b11")
ECHO = text("""
    select cast(:id as uuid) as id, cast(:at as timestamptz) as at, cast(:names as text[]) as names,
           cast(:body as jsonb) as body, cast(:nothing as text) as nothing, :id = :id as is_same
""").bindparams(bindparam("body", type_=JSONB))
VALUES = {
    "id": ID,
    "at": TIME,
    "names": ["a", "b"],
    "body": {"a": [1, None, "ü"]},
    "nothing": None,
}


@pytest.fixture(params=["driver", "SQLAlchemy"])
def either_way(request: pytest.FixtureRequest, fresh_database: Database) -> Database:
    """Return a database whose statements go one way; where they are watched, SQLAlchemy's."""
    if request.param == "SQLAlchemy":
        engine = fresh_database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *_: None)
    return fresh_database


async def test_every_kind_of_connection_executes_on_the_driver(fresh_database: Database) -> None:
    one = text("select 1")
    async with fresh_database.transaction() as session:
        assert isinstance(await session.execute(one), TextResult)
    async with fresh_database.reading() as reading:
        assert isinstance(await reading.execute(one), TextResult)
    async with fresh_database.snapshot() as snapshot:
        assert isinstance(await snapshot.execute(one), TextResult)
    async with fresh_database.autocommit() as executor:
        assert isinstance(await executor.execute(one), TextResult)


async def test_a_query_as_text_answers_as_the_query_does(fresh_database: Database) -> None:
    query = select(Player.player_id).where(
        Player.player_id == bindparam("player_id"), Player.player_id != "it's \\ :player_id"
    )
    async with fresh_database.transaction() as session:
        await session.execute(text("insert into players (player_id) values ('a'), ('b')"))
        found = await session.scalars(text_of(query), {"player_id": "b"})
        assert found.all() == (await session.scalars(query, {"player_id": "b"})).all() == ["b"]


async def test_values_of_all_types_come_back_as_they_went(either_way: Database) -> None:
    async with either_way.transaction() as session:
        row = (await session.execute(ECHO, VALUES)).one()
    assert row._asdict() == {**VALUES, "is_same": True}


async def test_a_constraint_that_is_broken_is_an_integrity_error(either_way: Database) -> None:
    add = text("insert into players (player_id) values (:player_id)")
    async with Session(either_way.engine) as session:
        await session.execute(add, {"player_id": "player-1"})
        with pytest.raises(IntegrityError, match="SQL parameters hidden"):
            await session.execute(add, {"player_id": "player-1"})


async def test_a_statement_after_a_fault_is_refused_until_the_end(either_way: Database) -> None:
    async with Session(either_way.engine) as session:
        with pytest.raises(DBAPIError, match="division by zero"):
            await session.execute(text("select 1 / 0"))
        with pytest.raises(DBAPIError, match="current transaction is aborted"):
            await session.execute(text("select 1"))


async def test_a_savepoint_takes_back_statements_of_text(either_way: Database) -> None:
    add = text("insert into players (player_id) values (:player_id)")
    async with either_way.transaction() as session:
        await session.execute(add, {"player_id": "kept"})
        savepoint = await session.begin_nested()
        await session.execute(add, {"player_id": "dropped"})
        await savepoint.rollback()
    async with either_way.reading() as session:
        found = await session.scalars(text("select player_id from players"))
        assert found.all() == ["kept"]


async def test_a_session_for_reading_writes_nothing(either_way: Database) -> None:
    async with either_way.reading() as session:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await session.execute(text("insert into players (player_id) values ('a')"))


async def test_a_statement_outside_a_transaction_commits_by_itself(either_way: Database) -> None:
    async with either_way.autocommit() as executor:
        await executor.execute(text("insert into players (player_id) values ('a')"))
        assert await either_way.finds(text("select exists (select from players)"))


async def test_a_type_that_changed_meanwhile_is_learnt_again(either_way: Database) -> None:
    read = text("select value from changing")
    async with either_way.transaction() as session:
        await session.execute(text("create temp table changing (value integer)"))
        await session.execute(text("insert into changing values (1)"))
        assert await session.scalar(read) == 1
        await session.execute(text("alter table changing alter column value type text"))
    for _ in range(2):
        try:
            async with either_way.transaction() as session:
                answer = await session.scalar(read)
        except DBAPIError:
            continue
        break
    assert answer == "1"


async def test_the_rows_that_a_statement_wrote_are_counted(either_way: Database) -> None:
    async with either_way.transaction() as session:
        add = text("insert into players (player_id) select unnest(cast(:ids as text[]))")
        result = await session.execute(add, {"ids": ["a", "b", "c"]})
        assert result.rowcount == 3  # type: ignore[attr-defined]


async def test_a_statement_that_is_cancelled_takes_only_its_connection_along(
    either_way: Database,
) -> None:
    async def sleep() -> None:
        async with either_way.transaction() as session:
            await session.execute(text("select pg_sleep(60)"))

    asleep = text("select exists (select from pg_stat_activity where query ~ '^select pg_sleep')")
    task = asyncio.create_task(sleep())
    await wait_until(lambda: either_way.finds(asleep), bool, what="the statement", within_s=10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert either_way.connections_in_use() == 0
    async with either_way.transaction() as session:
        assert await session.scalar(text("select 1")) == 1


async def test_a_connection_that_was_lost_executes_nothing_more(
    either_way: Database,
) -> None:
    end = text("select pg_terminate_backend(pg_backend_pid())")
    add = text("insert into players (player_id) values ('a')")
    async with either_way.autocommit() as executor:
        with pytest.raises(DBAPIError):
            await executor.execute(end)
        with pytest.raises(PendingRollbackError):
            await executor.execute(add)

    async with either_way.autocommit() as executor:
        await executor.execute(add)
    assert await either_way.finds(text("select exists (select from players)"))
