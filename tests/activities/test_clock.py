"""Temporal's clock is not believed alone: what it would end early waits for the database's."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from activities.cases import AttendRequest, CaseActivities
from activities.fraud import FraudActivities
from activities.locked_referrals import LockedReferrals
from activities.referrals import ReferralActivities
from activities.rewards import RewardActivities
from db.clock import ClockAheadError, database_now
from db.engine import Database
from db.tables import CaseRow
from domain.lifecycle.referral import Stage
from tests import state
from tests.activities.referral_acts import HASHER, ReferralActs, sign_up
from tests.api.v1.cases.steps import filed_case, hold
from tests.builders import TERMS, TOKENS, deposit

A_MINUTE: Final = timedelta(minutes=1)
A_DAY: Final = timedelta(days=1)
ACTS: Final = (
    "admit_signup",
    "expire_referral",
    "score_fraud",
    "credit_reward",
    "score_and_credit",
    "resolve_hold",
    "compensate_reward",
    "settle_referral",
)


def guarded(database: Database) -> LockedReferrals:
    return LockedReferrals(database, hasher=HASHER, tokens=TOKENS, max_clock_drift=A_MINUTE)


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


async def test_an_act_of_long_ago_is_done_by_the_databases_clock(database: Database) -> None:
    acts = await sign_up(database, terms=replace(TERMS, hold_period=30 * A_DAY))
    await acts.receives(deposit(acts.referee_id))
    await acts.score()
    async with database.reading() as session:
        now = await database_now(session)
    rewards = RewardActivities(guarded(database))

    await rewards.credit_reward(await acts.act_request(at=now - 31 * A_DAY))
    await rewards.resolve_hold(await acts.act_request(at=now))

    row = await acts.stored_row()
    assert row.stage is Stage.HELD
    assert row.until > now + 29 * A_DAY


async def test_a_case_is_not_escalated_by_a_clock_that_is_ahead(database: Database) -> None:
    case_id = await filed_case(database, (await hold(database)).row.id)
    async with database.reading() as session:
        ahead = await database_now(session) + 3650 * A_DAY
    request = AttendRequest(case_id=case_id, now=ahead)

    with pytest.raises(ClockAheadError):
        await CaseActivities(database, A_MINUTE).attend_case(request)

    async with database.reading() as session:
        case = await session.get_one(CaseRow, case_id)
    assert case.escalated_at is None
    assert case.due_at < ahead


async def snapshot(acts: ReferralActs) -> tuple[Stage, object]:
    row = await acts.stored_row()
    return row.stage, await state.player_balances(acts.database, acts.row.referrer_id)
