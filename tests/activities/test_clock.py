"""Temporal's clock is not believed alone: what it would end early waits for the database's."""

from datetime import timedelta
from typing import Final

import pytest

from activities.fraud import FraudActivities
from activities.locked_referrals import LockedReferrals
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from db.clock import ClockAheadError, database_now
from db.engine import Database
from domain.lifecycle.referral import Stage
from tests import state
from tests.activities.referral_acts import HASHER, ReferralActs, sign_up
from tests.builders import TOKENS, deposit

A_MINUTE: Final = timedelta(minutes=1)
A_DAY: Final = timedelta(days=1)
ACTS: Final = (
    "admit_signup",
    "expire_referral",
    "score_fraud",
    "credit_reward",
    "resolve_hold",
    "compensate_reward",
    "settle_referral",
)


def guarded(database: Database) -> LockedReferrals:
    return LockedReferrals(database, hasher=HASHER, tokens=TOKENS, max_clock_lead=A_MINUTE)


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_of_a_host_a_day_ahead_changes_nothing(database: Database, act: str) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    await acts.score()
    before = await snapshot(acts)
    locked = guarded(database)
    activities = (ReferralActivities(locked), FraudActivities(locked), RewardActivities(locked))
    run = next(getattr(a, act) for a in activities if hasattr(a, act))
    async with database.reading() as session:
        ahead = await database_now(session) + A_DAY

    with pytest.raises(ClockAheadError, match="ahead of the database's"):
        await run(await acts.act_request(at=ahead))

    assert await snapshot(acts) == before


async def test_an_act_within_a_minute_of_the_database_goes_on(database: Database) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    await acts.score()
    async with database.reading() as session:
        now = await database_now(session)

    await RewardActivities(guarded(database)).credit_reward(
        await acts.act_request(at=now + A_MINUTE / 2)
    )

    assert (await acts.stored_row()).stage is Stage.REWARDED


async def snapshot(acts: ReferralActs) -> tuple[Stage, object]:
    row = await acts.stored_row()
    return row.stage, await state.player_balances(acts.database, acts.row.referrer_id)
