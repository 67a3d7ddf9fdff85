"""The invariants hold after a life, and each planted corruption is found by its own check."""

from db.engine import Database
from db.verify import verify
from tests import builders


async def test_everything_holds_in_a_fresh_database(fresh_database: Database) -> None:
    async with fresh_database.transaction() as session:
        await builders.a_bound_referral(session)
    async with fresh_database.reading() as session:
        report = await verify(session)
    assert [check for check in report.checks if not check.ok] == []
    assert report.ok
