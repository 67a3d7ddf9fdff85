"""Velocities at a signup: what is counted, in windows that end with it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import insert, text

from db.engine import Database, Session
from db.tables import IdentityLink, ReferralRow
from domain.fraud.links import MAX_SHARERS
from referrals.fraud.evidence import load_snapshot
from tests import builders
from tests.builders import NOW, a_player_id, unique

AGES: Final = tuple(timedelta(minutes=minutes) for minutes in (10, 20, 300, 600, 20_000, 90_000))
"""Two within an hour, two more within a day, one within 30 days and one before."""
EXPECTED: Final = {"1h": 3, "24h": 5, "30d": 6}
"""With the signup that is judged."""
_COPIES: Final = text("""
    insert into referrals
    select (jsonb_populate_record(null::referrals, to_jsonb(r) || jsonb_build_object(
        'id', gen_random_uuid(),
        'referee_id', r.referee_id || '-' || extract(epoch from at),
        'invited_at', at, 'signed_up_at', at
    ))).*
      from referrals r, unnest(cast(:times as timestamptz[])) as at where r.id = :referral_id
""")


async def counts(session: Session, row: ReferralRow, of: str) -> dict[str, int]:
    snapshot = await load_snapshot(session, row, deposit_event_id="none")
    return {each.window: each.count for each in snapshot.velocities if each.of == of}


async def seen(session: Session, kind: str, row: ReferralRow, ages: Sequence[timedelta]) -> None:
    """Let the referee and others have a value, each for the first time so long ago."""
    value = unique(kind)
    players = [str(row.referee_id), *(a_player_id() for _ in ages)]
    links = [
        {
            "kind": kind,
            "value": value,
            "player_id": player,
            "first_seen_at": NOW - age,
            "last_seen_at": NOW - age,
        }
        for player, age in zip(players, [timedelta(0), *ages], strict=True)
    ]
    await session.execute(insert(IdentityLink).values(links))


@pytest.mark.parametrize(("kind", "of"), [("device_id", "device"), ("network", "network")])
async def test_players_of_a_device_or_network_are_counted_in_three_windows(
    database: Database, kind: str, of: str
) -> None:
    async with database.transaction() as session:
        row = await builders.a_bound_referral(session)
        await seen(session, kind, row, AGES)

        assert await counts(session, row, of) == EXPECTED


async def test_a_network_that_too_many_share_is_not_counted(database: Database) -> None:
    async with database.transaction() as session:
        row = await builders.a_bound_referral(session)
        await seen(session, "network", row, [timedelta(minutes=1)] * MAX_SHARERS)

        assert await counts(session, row, "network") == {}


async def test_signups_of_a_referrer_a_code_and_a_campaign_are_counted_in_three_windows(
    database: Database,
) -> None:
    async with database.transaction() as session:
        row = await builders.a_bound_referral(session)
        times = [NOW - age for age in AGES]
        await session.execute(_COPIES, {"referral_id": row.id, "times": times})
        # Another code of the same referrer, in another campaign.
        await builders.a_bound_referral(session, referrer_id=row.referrer_id)

        assert await counts(session, row, "code") == EXPECTED
        assert await counts(session, row, "campaign") == EXPECTED
        one_more = {window: count + 1 for window, count in EXPECTED.items()}
        assert await counts(session, row, "referrer") == one_more


async def test_what_comes_after_a_signup_makes_it_no_faster(database: Database) -> None:
    async with database.transaction() as session:
        row = await builders.a_bound_referral(session)
        times = [NOW + timedelta(minutes=minutes) for minutes in (1, 2, 3)]
        await session.execute(_COPIES, {"referral_id": row.id, "times": times})

        for of in ("code", "referrer", "campaign"):
            assert await counts(session, row, of) == {"1h": 1, "24h": 1, "30d": 1}
