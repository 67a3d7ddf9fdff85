"""Other referees of a referrer who share a network: those invited nearest, not a whole audience."""

from datetime import timedelta

from sqlalchemy import insert, text

from db.engine import Database, Session
from db.tables import IdentityLink, ReferralRow
from referrals.fraud.evidence import MAX_NEAR, load_snapshot
from tests import builders
from tests.builders import NOW, unique

COPIES = text("""
    insert into referrals
    select (jsonb_populate_record(null::referrals, to_jsonb(r) || jsonb_build_object(
        'id', gen_random_uuid(),
        'referee_id', r.referee_id || '-' || number,
        'invited_at', r.invited_at + number * interval '1 minute'
    ))).*
      from referrals r, generate_series(1, :copies) as number where r.id = :referral_id
""")


async def in_network(session: Session, network: str, *rows: ReferralRow) -> None:
    links = [
        {
            "kind": "network",
            "value": network,
            "player_id": row.referee_id,
            "is_strong": False,
            "first_seen_at": NOW,
            "last_seen_at": NOW,
        }
        for row in rows
    ]
    await session.execute(insert(IdentityLink).values(links))


async def siblings_of(session: Session, row: ReferralRow) -> int:
    snapshot = await load_snapshot(session, row, deposit_event_id="a-deposit")
    link = snapshot.link("network")
    assert link is not None
    return link.siblings


async def test_only_the_nearest_referees_of_a_referrer_make_a_crowd(database: Database) -> None:
    referrer_id = builders.a_player_id()
    day = timedelta(days=1)
    async with database.transaction() as session:
        first, second, last = [
            await builders.a_bound_referral(session, at=NOW + days * day, referrer_id=referrer_id)
            for days in range(3)
        ]
        await in_network(session, unique("network"), first, second, last)
        before = [await siblings_of(session, row) for row in (first, second, last)]
        # A hundred others were invited in the day between the first two.
        await session.execute(COPIES, {"copies": MAX_NEAR, "referral_id": first.id})
        after = [await siblings_of(session, row) for row in (first, second, last)]

    assert before == [2, 2, 2]
    assert after == [0, 1, 1]
