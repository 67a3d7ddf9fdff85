"""Referrals that nothing woke, beside many that were woken of late."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from db.engine import Database
from db.tables import ReferralRow
from referrals.lifecycle.overdue import overdue_referrals
from referrals.lifecycle.unheard import unheard_referrals
from tests.builders import a_bound_referral

MINUTE = timedelta(minutes=1)
MORE_THAN_PARAMETERS = 40_000


async def test_more_are_left_out_than_a_statement_takes_parameters(
    fresh_database: Database,
) -> None:
    rows = [await neglected_referral(fresh_database) for _ in range(2)]
    woken, waiting = (row.id for row in rows)
    excluding = [woken, *(uuid4() for _ in range(MORE_THAN_PARAMETERS))]

    async with fresh_database.reading() as session:
        overdue = await overdue_referrals(session, grace=MINUTE, excluding=excluding, limit=5)
        unheard = await unheard_referrals(session, grace=MINUTE, excluding=excluding, limit=5)

    assert [one.referral_id for one in overdue] == [waiting]
    assert [one.referral_id for one in unheard] == [waiting]


async def neglected_referral(database: Database) -> ReferralRow:
    """Return a referral past its deadline, with a delivery after which nothing changed."""
    async with database.transaction() as session:
        row = await a_bound_referral(session)
        await session.execute(
            text("update referrals set until = now() - interval '5 minutes' where id = :id"),
            {"id": row.id},
        )
        await session.execute(
            text("""
                insert into deliveries
                       (referral_id, kind, event_id, signal, created_at, acknowledged_at, attempts)
                values (:id, 'look', :event_id, 'look', now() + interval '1 second',
                        now() - interval '2 minutes', 1)
            """),
            {"id": row.id, "event_id": str(uuid4())},
        )
    return row
