"""Computed rewards at their edges: sides of nothing, raises beyond the budget, planted records."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from db.engine import Database
from db.tables import OutboxRow
from domain.campaigns.switches import SwitchState
from domain.intake.facts import Chargeback, PlayerStatus, TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from referrals.access.audit import Actor
from referrals.campaigns import switches
from referrals.campaigns.switches import SwitchOutcome
from tests import state
from tests.activities.campaigns.ruled import acknowledge
from tests.activities.campaigns.test_computed import money, paying, percent, rewards_of
from tests.activities.referral_acts import LATER, ReferralActs, sign_up
from tests.builders import NOW, chargeback, deposit, status_change, usd
from tests.state import violated_invariants


async def assert_green(acts: ReferralActs, superuser: Database) -> None:
    await acknowledge(superuser)
    assert await violated_invariants(acts.database) == {}


async def test_a_side_that_came_to_nothing_stays_without_a_reward(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = paying(referrer={"flat": money(500)}, referee=percent("0.01"))
    acts = await sign_up(fresh_database, terms=terms)
    paid = deposit(acts.referee_id, minor=10_000)
    refund, failed = [
        chargeback(paid, kind, amount=usd(1), dispute_id="r1")
        for kind in (TakeBack.REFUND, TakeBack.REFUND_FAILED)
    ]
    await acts.receives(paid, refund)
    assert await acts.wake() is Stage.REWARDED
    await acts.receives(failed)
    assert await acts.wake() is Stage.REWARDED

    await assert_green(acts, fresh_superuser)
    assert (await state.player_balances(fresh_database, acts.referee_id)).available == 0


async def test_a_side_of_nothing_that_rises_while_the_other_is_held_stops_nobody(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = paying(referrer={"flat": money(500)}, referee=percent("0.01"))
    acts = await sign_up(fresh_database, terms=replace(terms, hold_period=timedelta(days=1)))
    first = deposit(acts.referee_id, minor=5_000)
    await acts.receives(first)
    assert await acts.wake() is Stage.HELD
    second = deposit(acts.referee_id, minor=30_000, at=NOW + timedelta(hours=2))
    await acts.receives(second, chargeback(first))
    assert await acts.wake() is Stage.HELD
    await assert_green(acts, fresh_superuser)

    assert await acts.wake(at=LATER + timedelta(days=5)) is Stage.REWARDED
    await assert_green(acts, fresh_superuser)
    assert (await acts.referrer_balances()).available == 500


async def test_what_comes_to_nothing_while_it_is_held_is_rejected_and_never_told_as_granted(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = replace(paying(referrer=percent("1")), minimum_deposit=usd(0))
    acts = await sign_up(fresh_database, terms=replace(terms, hold_period=timedelta(days=1)))
    paid = deposit(acts.referee_id, minor=100_000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.HELD
    await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(99_950)))

    assert await acts.wake(at=LATER + timedelta(days=2)) is Stage.REJECTED

    assert await state.reason(fresh_database, acts.row.id) == "the terms pay nothing for it"
    assert await rewards_of(acts) == {"referrer": (1000, RewardStatus.VOID)}
    balances = await acts.referrer_balances()
    assert (balances.held, balances.available) == (0, 0)
    async with fresh_database.reading() as session:
        query = select(OutboxRow.type).where(OutboxRow.aggregateid == str(acts.row.id))
        told = set(await session.scalars(query))
    assert {"RewardHeld", "ReferralRejected"} <= told
    assert not told & {"RewardGranted", "RewardReversed"}
    await assert_green(acts, fresh_superuser)


@pytest.mark.parametrize(("refunded", "credited"), [(0, 1000), (5000, 500)])
async def test_the_event_of_the_credit_tells_what_is_credited(
    database: Database, refunded: int, credited: int
) -> None:
    terms = replace(paying(referrer=percent("10")), hold_period=timedelta(days=1))
    acts = await sign_up(database, terms=terms)
    paid = deposit(acts.referee_id, minor=10_000)
    await acts.receives(paid)
    assert await acts.wake() is Stage.HELD
    if refunded:
        await acts.receives(chargeback(paid, TakeBack.REFUND, amount=usd(refunded)))
    assert await acts.wake(at=LATER + timedelta(days=5)) is Stage.REWARDED

    query = select(OutboxRow.payload).where(
        OutboxRow.aggregateid == str(acts.row.id), OutboxRow.type == "RewardGranted"
    )
    async with database.reading() as session:
        (told,) = (await session.scalars(query)).all()
    assert told["rewards"][0]["amount"] == money(credited)
    assert (await acts.referrer_balances()).available == credited


async def test_a_raise_at_the_credit_that_the_budget_does_not_cover_waits_for_funds(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    terms = replace(paying(referrer=percent("10")), hold_period=timedelta(days=1))
    acts = await sign_up(fresh_database, terms=terms, budget=usd(1500))
    first = deposit(acts.referee_id, minor=10_000)
    await acts.receives(first)
    assert await acts.wake() is Stage.HELD
    second = deposit(acts.referee_id, minor=30_000, at=NOW + timedelta(hours=2))
    await acts.receives(second, chargeback(first))
    assert await acts.wake() is Stage.HELD

    assert await acts.wake(at=LATER + timedelta(days=5)) is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000
    await assert_green(acts, fresh_superuser)


async def a_lowered_reward(database: Database) -> tuple[ReferralActs, Chargeback]:
    """Credit a tenth of a deposit, refund a part of it, and return what would undo the refund."""
    acts = await sign_up(database, terms=paying(referrer=percent("10")))
    paid = deposit(acts.referee_id, minor=10_000)
    refund, failed = [
        chargeback(paid, kind, amount=usd(4000), dispute_id="r1")
        for kind in (TakeBack.REFUND, TakeBack.REFUND_FAILED)
    ]
    await acts.receives(paid)
    await acts.wake()
    await acts.receives(refund)
    await acts.wake()
    assert (await acts.referrer_balances()).available == 600
    return acts, failed


async def test_a_rise_waits_while_the_referrer_is_excluded(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts, failed = await a_lowered_reward(fresh_database)
    referrer_id = acts.row.referrer_id
    await acts.receives(status_change(referrer_id), player_id=referrer_id)
    await acts.receives(failed)
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 600
    assert await acts.open_hold_reasons() == {HoldReason.INELIGIBLE}

    back = status_change(referrer_id, PlayerStatus.RESTORED, at=LATER)
    await acts.receives(back, player_id=referrer_id)
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000
    await assert_green(acts, fresh_superuser)


async def test_a_rise_waits_while_its_campaign_is_switched_off(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    acts, failed = await a_lowered_reward(fresh_database)
    await turn_switch(acts, SwitchState.OFF)
    await acts.receives(failed)
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 600
    await assert_green(acts, fresh_superuser)

    await turn_switch(acts, SwitchState.ON)
    assert await acts.wake() is Stage.REWARDED
    assert (await acts.referrer_balances()).available == 1000
    await assert_green(acts, fresh_superuser)


async def turn_switch(acts: ReferralActs, switch_state: SwitchState) -> None:
    scope = f"campaign:{acts.row.campaign_slug}"
    async with acts.database.transaction() as session:
        actor = Actor(name="operator", request_id=None, reason="a test")
        outcome = await switches.turn(session, scope, switch_state, actor)
    assert outcome is SwitchOutcome.TURNED


@pytest.mark.parametrize(
    "planted",
    [
        "update rewards set computation = jsonb_set(computation, '{count}', '9')",
        "update rewards set computation = jsonb_set(computation, '{amount,percent}', '\"90\"')",
        "update rewards set due_minor = due_minor + 1",
        "update rewards set computation = null",
        "update rewards set computation = jsonb_set(computation, '{base,minor}', '1')",
        "update rewards set computation = jsonb_set(computation, '{tier}', '5')",
        "update rewards set computation = jsonb_set(computation, '{limit}', '\"maximum\"')",
        "update rewards set computation = jsonb_set(computation, '{rounding}', '\"up\"')",
        "update rewards set computation = jsonb_set(computation, '{version}', '7')",
    ],
)
async def test_verify_sees_a_computation_or_an_amount_that_was_planted(
    fresh_database: Database, fresh_superuser: Database, planted: str
) -> None:
    tiers = [{"from": 1, **percent("10")}, {"from": 5, **percent("20")}]
    terms = (
        paying(referrer={"tiers": tiers}) if "count" in planted else paying(referrer=percent("10"))
    )
    acts = await sign_up(fresh_database, terms=terms)
    await acts.receives(deposit(acts.referee_id, minor=10_000))
    assert await acts.wake() is Stage.REWARDED
    await acknowledge(fresh_superuser)
    assert await violated_invariants(fresh_database) == {}
    async with fresh_superuser.transaction() as session:
        await session.execute(text("update rewards set due_minor = amount_minor"))
        await session.execute(text(planted))

    assert await violated_invariants(fresh_database) != {}
