"""Rows that statements of text read and write, beside what the session reads and writes."""

from datetime import timedelta

from sqlalchemy import inspect, select, text

from db.engine import Database, Session
from db.statements.stored_rows import find_known, flush, mark_written, stored
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from tests.builders import a_bound_referral
from tests.fixtures.database_activity import recorded_statements

READ = text("select *, 1 as beside from referrals where id = :id")


async def read(session: Session, row: ReferralRow) -> ReferralRow:
    return stored(session, ReferralRow, (await session.execute(READ, {"id": row.id})).one())


def columns_of(row: ReferralRow) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in inspect(ReferralRow).columns}


async def test_a_row_is_as_the_session_reads_it(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    async with database.transaction() as session:
        found = await read(session, row)
        assert isinstance(found.stage, Stage)
        async with database.reading() as other:
            query = select(ReferralRow).where(ReferralRow.id == row.id)
            assert columns_of(found) == columns_of((await other.scalars(query)).one())
        assert await session.get(ReferralRow, row.id) is found
        assert find_known(session, ReferralRow, row.id) is found


async def test_a_row_that_the_session_has_is_brought_up_to_date(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    async with database.transaction() as session:
        known = await session.get_one(ReferralRow, row.id)
        await session.execute(
            text("update referrals set steps = steps + 7 where id = :id"), {"id": row.id}
        )
        assert await read(session, row) is known
        assert known.steps == row.steps + 7


async def test_what_is_marked_as_written_is_not_written_again(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    with recorded_statements(database) as statements:
        async with database.transaction() as session:
            found = await read(session, row)
            found.steps = 9
            mark_written(session, found, ["steps"])
            await flush(session)
    assert len(statements) == 1


async def test_what_else_has_changed_is_written_by_the_session(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    later = row.until + timedelta(days=1)
    async with database.transaction() as session:
        found = await read(session, row)
        found.steps, found.until = 9, later
        mark_written(session, found, ["steps"])
        assert set(inspect(found).committed_state) == {"until"}
    async with database.transaction() as session:
        found = await read(session, row)
        assert (found.steps, found.until) == (row.steps, later)
