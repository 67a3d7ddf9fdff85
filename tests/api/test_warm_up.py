"""Warm-up: statements on request paths are planned before the first request, and write nothing."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from api.warm_up import warm_up_connection
from db.engine import Database
from tests.fixtures.databases import DatabaseUrls, open_database

WRITTEN = ("facts", "inbox", "touches", "referrals", "timeline", "outbox", "rate_windows")
WAITED_FOR = (
    "insert into facts",
    "insert into referrals",
    "insert into rate_windows",
    "FROM codes",
)


async def test_keeps_nothing_of_the_warm_up(fresh_database: Database) -> None:
    await fresh_database.warm_up(warm_up_connection)
    async with fresh_database.reading() as session:
        for table in WRITTEN:
            assert await session.scalar(text(f"select count(*) from {table}")) == 0  # noqa: S608


async def test_every_connection_has_planned_what_is_waited_for(fresh_database: Database) -> None:
    await fresh_database.warm_up(warm_up_connection)
    async with fresh_database.autocommit() as one, fresh_database.autocommit() as other:
        for statements in (one, other):
            rows = await statements.execute(text("select statement from pg_prepared_statements"))
            planned = "\n".join(row.statement for row in rows)
            assert all(start in planned for start in WAITED_FOR), planned


async def test_warming_up_a_database_that_is_not_migrated_fails(empty_urls: DatabaseUrls) -> None:
    async with open_database(empty_urls.application) as database:
        with pytest.raises(ProgrammingError, match="does not exist"):
            await database.warm_up(warm_up_connection)
