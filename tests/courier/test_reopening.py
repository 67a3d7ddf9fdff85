"""Deposits of referrals that have EXPIRED: those in time re-open them, however late they come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from courier.rebuild import rebuild, reopen_overlooked
from courier.temporal_sender import TemporalTarget
from db.engine import Database
from db.tables import ReferralRow, TimelineRow
from domain.intake.facts import Deposit, Fact, TakeBack
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import REOPEN_WINDOW, Stage
from domain.rewards.fact_effect import FactEffect
from referrals.reporting.fact_views import find_facts
from tests import state
from tests.builders import NOW, TERMS, chargeback, deposit, status_change, unique
from tests.courier.steps import (
    START,
    bind_referral,
    pending_signals,
    received_signals,
    record_and_route,
    set_stage,
)

EXPIRED_AT: Final = NOW + TERMS.deposit_window + TERMS.lateness_grace
LATE: Final = EXPIRED_AT + REOPEN_WINDOW
TOO_LATE: Final = LATE + timedelta(seconds=1)
AFTER_WINDOW: Final = NOW + TERMS.deposit_window + timedelta(seconds=1)


async def expired_referral(database: Database) -> tuple[ReferralRow, str]:
    row = await bind_referral(database)
    await set_stage(database, row, Stage.EXPIRED, until=EXPIRED_AT)
    assert row.referee_id
    return row, row.referee_id


async def stage_of(database: Database, row: ReferralRow) -> Stage:
    return (await state.referral(database, row.id)).stage


async def test_a_deposit_in_time_reopens_its_referral(fresh_database: Database) -> None:
    row, player = await expired_referral(fresh_database)
    paid = deposit(player, at=NOW + TERMS.deposit_window)

    await record_and_route(fresh_database, paid, player_id=player, now=LATE)

    stored = await state.referral(fresh_database, row.id)
    assert (stored.stage, stored.until) == (Stage.SIGNED_UP, LATE + TERMS.lateness_grace)
    async with fresh_database.reading() as session:
        query = select(TimelineRow).where(TimelineRow.referral_id == row.id)
        step = (await session.scalars(query.order_by(TimelineRow.step.desc()))).first()
    assert step
    assert (step.stage, step.at) == (Stage.SIGNED_UP, LATE)
    assert step.reason_code == ReasonCode.REPORTED_LATE
    assert await pending_signals(fresh_database, row) == ["sign_up", "look"]
    assert await state.violated_invariants(fresh_database) == {}


@pytest.mark.parametrize(
    ("made", "now", "why"),
    [
        (deposit("p", at=NOW), TOO_LATE, FactEffect.REFERRAL_ENDED),
        (deposit("p", at=AFTER_WINDOW), EXPIRED_AT, FactEffect.OUTSIDE_WINDOW),
        (deposit("p", at=NOW, minor=999), EXPIRED_AT, FactEffect.BELOW_MINIMUM),
    ],
)
async def test_another_deposit_changes_nothing_and_says_why(
    database: Database, made: Deposit, now: datetime, why: FactEffect
) -> None:
    row, player = await expired_referral(database)
    paid = replace(made, player_id=player)

    await record_and_route(database, paid, player_id=player, now=now)

    assert await stage_of(database, row) is Stage.EXPIRED
    assert await pending_signals(database, row) == ["sign_up"]
    async with database.reading() as session:
        page = await find_facts(session, row.id, after=None, limit=9)
    assert page
    assert [f.reason_code for f in page.items if f.event_id == paid.event_id] == [why]


@pytest.mark.parametrize("stage", [Stage.REJECTED, Stage.UNFUNDED, Stage.VOIDED])
async def test_nothing_but_an_expiry_is_undone(database: Database, stage: Stage) -> None:
    row = await bind_referral(database)
    await set_stage(database, row, stage, until=EXPIRED_AT)
    paid = deposit(row.referee_id)

    await record_and_route(database, paid, player_id=paid.player_id, now=EXPIRED_AT)

    assert await stage_of(database, row) is stage


async def test_a_deposit_that_was_taken_back_reopens_nothing_until_it_is_won(
    database: Database,
) -> None:
    row, player = await expired_referral(database)
    paid = deposit(player)
    taken, won = chargeback(paid), chargeback(paid, TakeBack.CHARGEBACK_WON)

    stages = []
    for reported in ((paid, taken), (won,)):
        await record_and_route(database, *reported, player_id=player, now=EXPIRED_AT)
        stages.append(await stage_of(database, row))

    assert stages == [Stage.EXPIRED, Stage.SIGNED_UP]


async def test_reopens_once_however_often_the_deposit_is_reported(database: Database) -> None:
    row, player = await expired_referral(database)
    paid = deposit(player)

    for _ in range(3):
        await record_and_route(database, paid, player_id=player, now=LATE)

    assert await pending_signals(database, row) == ["sign_up", "look"]


async def overlooked_by_0_2(database: Database) -> tuple[ReferralRow, Deposit]:
    """Leave a referral as release 0.2 does: EXPIRED, its deposit routed to no effect."""
    row = await bind_referral(database)
    paid = deposit(row.referee_id)
    await set_stage(database, row, Stage.VOIDED)
    await record_and_route(database, paid, player_id=paid.player_id, now=EXPIRED_AT)
    await set_stage(database, row, Stage.EXPIRED, until=EXPIRED_AT)
    return row, paid


@pytest.mark.parametrize("next_fact", [status_change, deposit])
async def test_the_next_fact_makes_good_what_release_0_2_overlooked(
    database: Database, next_fact: Callable[..., Fact]
) -> None:
    row, paid = await overlooked_by_0_2(database)

    await record_and_route(
        database, next_fact(paid.player_id), player_id=paid.player_id, now=EXPIRED_AT
    )

    assert await stage_of(database, row) is Stage.SIGNED_UP
    assert await pending_signals(database, row) == ["sign_up", "look"]


async def test_a_rebuild_makes_good_what_release_0_2_overlooked(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row, _ = await overlooked_by_0_2(fresh_database)
    unpaid = await bind_referral(fresh_database)
    await set_stage(fresh_database, unpaid, Stage.EXPIRED, until=EXPIRED_AT)

    target = TemporalTarget(temporal_env.client, unique("queue"))
    assert (await rebuild(fresh_database, target, now=EXPIRED_AT)).failed == 0

    assert await received_signals(temporal_env.client, row) == [START, "look"]
    assert await stage_of(fresh_database, row) is Stage.SIGNED_UP
    assert await stage_of(fresh_database, unpaid) is Stage.EXPIRED


async def test_a_rebuild_reopens_nothing_after_the_window(fresh_database: Database) -> None:
    row, _ = await overlooked_by_0_2(fresh_database)

    assert await reopen_overlooked(fresh_database, now=TOO_LATE) == (0, [])

    assert await stage_of(fresh_database, row) is Stage.EXPIRED
