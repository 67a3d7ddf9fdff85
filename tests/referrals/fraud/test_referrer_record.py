"""Record of a referrer: what became of the referees before the one that is judged."""

from datetime import timedelta
from typing import Final

from db.engine import Database, Session
from domain.fraud.snapshot import ReferrerHistory, Snapshot
from domain.intake.facts import Withdrawal
from domain.rewards.due import due
from referrals.fraud import assessments
from referrals.fraud.evidence import load_snapshot
from referrals.intake import facts
from referrals.rewards import adjustments
from referrals.rewards import transfers as rewards
from tests import builders
from tests.builders import NOW, a_player_id, deposit, signup, unique, usd
from tests.referrals.fraud.assessed_referrals import DENIED
from tests.referrals.reward_builders import (
    CREDITED_AT,
    a_held_referral,
    a_rewarded_referral,
    takes_back,
)

DAY: Final = timedelta(days=1)


async def record_of(session: Session, referrer_id: str) -> ReferrerHistory:
    """Return the record as a referral of the next day finds it."""
    row = await builders.a_bound_referral(session, at=NOW + DAY, referrer_id=referrer_id)
    snapshot: Snapshot = await load_snapshot(session, row, deposit_event_id="none")
    return snapshot.referrer


async def test_a_referrer_nobody_knows_anything_about_has_an_unknown_record(
    database: Database,
) -> None:
    async with database.transaction() as session:
        found = await record_of(session, a_player_id())

    assert found == ReferrerHistory()


async def test_referees_who_were_flagged_or_taken_back_are_counted(database: Database) -> None:
    referrer = a_player_id()
    async with database.transaction() as session:
        flagged = await a_held_referral(session, referrer_id=referrer)
        await assessments.assess_and_store(
            session, flagged, DENIED, deposit_event_id="a-deposit", at=CREDITED_AT
        )
        charged = await a_rewarded_referral(session, referrer_id=referrer)
        await takes_back(session, charged)
        clawed = await a_rewarded_referral(session, referrer_id=referrer)
        await takes_back(session, clawed)
        issued = await rewards.rewards_of_referral(session, clawed.id)
        await adjustments.adjust(session, clawed, issued, due(None, builders.TERMS), at=CREDITED_AT)
        await session.flush()
        found = await record_of(session, referrer)

    assert (found.referees, found.flagged_referees) == (3, 1)
    assert (found.charged_back, found.clawed_back) == (2, 1)


async def test_referees_who_deposit_the_minimum_and_withdraw_it_are_counted(
    database: Database,
) -> None:
    referrer = a_player_id()
    async with database.transaction() as session:
        rows = [await a_held_referral(session, referrer_id=referrer) for _ in range(3)]
        for row, after in zip(rows, (timedelta(hours=5), 3 * DAY), strict=False):
            taken = Withdrawal(
                event_id=unique("withdrawal"),
                occurred_at=CREDITED_AT + after,
                player_id=str(row.referee_id),
                withdrawal_id=unique("w"),
                amount=usd(),
            )
            await facts.record_fact(session, taken, player_id=taken.player_id, door="http")
        found = await record_of(session, referrer)

    assert (found.depositors, found.minimum_depositors, found.quick_withdrawers) == (3, 3, 1)


async def test_the_age_of_the_account_and_its_deposits_are_known_where_its_signup_is(
    database: Database,
) -> None:
    young, player = a_player_id(), a_player_id()
    async with database.transaction() as session:
        for referrer in (young, player):
            known = signup(referrer, at=NOW - 2 * DAY)
            await facts.record_fact(session, known, player_id=referrer, door="http")
        await facts.record_fact(session, deposit(player), player_id=player, door="http")
        found = [await record_of(session, referrer) for referrer in (young, player)]

    assert [one.account_age_s for one in found] == [3 * 24 * 3600] * 2
    assert [one.has_deposited for one in found] == [False, True]
