"""Kill switches between invitation, hold and credit: nothing is paid, and nothing is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from db.engine import Database
from domain.campaigns.switches import SwitchState
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.holds import HoldReason
from referrals.access.audit import Actor
from referrals.campaigns import switches
from referrals.campaigns.switches import SwitchOutcome
from tests import state
from tests.activities.queues import Queue, a_queue
from tests.activities.referral_acts import LATER, sign_up
from tests.builders import TERMS, chargeback, deposit
from tests.state import Balances

OPERATOR: Final = Actor(name="operator", request_id=None, reason="a test")
DAY: Final = timedelta(days=1)
HOLDING: Final = replace(TERMS, hold_period=3 * DAY)
SCOPES: Final = ("all", "campaign", "jurisdiction:US", "jurisdiction:US-NJ")


@pytest.mark.parametrize("scope", SCOPES)
async def test_what_would_be_paid_while_a_switch_is_off_is_deferred_and_goes_on(
    fresh_database: Database, scope: str
) -> None:
    queue = await a_queue(fresh_database, budget=5000)
    await turn(queue, scope, SwitchState.OFF)
    waiting = [await queue.deposits() for _ in range(3)]
    for minutes, acts in enumerate(waiting):
        await acts.credit(at=LATER + timedelta(minutes=minutes - 9))
    ids, acts = [each.row.id for each in waiting], waiting[0]

    assert await queue.stages(ids) == [Stage.DEFERRED] * 3
    assert await acts.open_hold_reasons() == {HoldReason.SWITCHED_OFF}
    assert await acts.referrer_balances() == Balances()
    assert await queue.acts_on_wake_ups() == []

    await turn(queue, scope, SwitchState.ON)
    assert await queue.acts_on_wake_ups() == ids
    assert await queue.stages(ids) == [Stage.REWARDED] * 3
    assert await acts.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(fresh_database) == {}


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("jurisdiction:US-NJ", "us-nj"),
        ("jurisdiction:US-NJ", "US_NJ"),
        ("jurisdiction:US-NJ", " US-NJ "),
        ("jurisdiction:US", "us_nj"),
        ("jurisdiction:GB", "UK"),
        ("jurisdiction:UK", "uk"),
        ("jurisdiction:GR", "EL-A"),
    ],
)
async def test_a_jurisdictions_switch_holds_in_every_spelling_of_it(
    fresh_database: Database, scope: str, told: str
) -> None:
    queue = await a_queue(fresh_database, budget=5000)
    acts = await sign_up(fresh_database, offer=queue.offer, jurisdiction=told)
    await turn(queue, scope, SwitchState.OFF)
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.DEFERRED
    await turn(queue, scope, SwitchState.ON)
    assert await acts.wake() is Stage.REWARDED


async def test_another_scope_does_not_hold_a_reward(fresh_database: Database) -> None:
    queue = await a_queue(fresh_database, budget=5000)
    await turn(queue, "jurisdiction:US-NY", SwitchState.OFF)
    assert await queue.stages([await queue.qualifies()]) == [Stage.REWARDED]


async def test_what_two_switches_hold_waits_for_both(fresh_database: Database) -> None:
    queue = await a_queue(fresh_database, budget=5000)
    await turn(queue, "all", SwitchState.OFF)
    await turn(queue, "campaign", SwitchState.OFF)
    ids = [await queue.qualifies()]
    await turn(queue, "all", SwitchState.ON)
    assert await queue.acts_on_wake_ups() == ids
    assert await queue.stages(ids) == [Stage.DEFERRED]
    await turn(queue, "campaign", SwitchState.ON)
    assert await queue.acts_on_wake_ups() == ids
    assert await queue.stages(ids) == [Stage.REWARDED]


async def test_a_held_reward_whose_time_is_up_is_deferred_until_it_is_switched_on(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=1000, terms=HOLDING)
    acts = await queue.deposits()
    assert await acts.wake() is Stage.HELD
    await turn(queue, "campaign", SwitchState.OFF)
    assert await acts.wake(at=LATER + DAY) is Stage.HELD
    assert await acts.open_hold_reasons() == {HoldReason.HOLD_PERIOD}
    assert await state.budget(fresh_database, queue.offer.campaign.id) == 0

    assert await acts.wake(at=LATER + 4 * DAY) is Stage.DEFERRED
    assert await acts.open_hold_reasons() == {HoldReason.SWITCHED_OFF}
    assert await state.budget(fresh_database, queue.offer.campaign.id) == 1000
    assert (await acts.stored_row()).until > LATER + 4 * DAY
    assert await acts.referrer_balances() == Balances()

    await turn(queue, "campaign", SwitchState.ON)
    assert await queue.woken() == [acts.row.id]
    assert await acts.wake(at=LATER + 5 * DAY) is Stage.REWARDED
    assert await acts.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(fresh_database) == {}


async def test_what_waits_for_funds_waits_for_its_switch_once_there_is_money(
    fresh_database: Database,
) -> None:
    queue = await a_queue(fresh_database, budget=0)
    id_ = await queue.qualifies()
    await turn(queue, "campaign", SwitchState.OFF)
    assert await queue.acts[id_].open_hold_reasons() == {HoldReason.FUNDS}

    await queue.funds(1000)
    assert await queue.acts_on_wake_ups() == [id_]
    assert await queue.stages([id_]) == [Stage.DEFERRED]
    assert await queue.acts[id_].open_hold_reasons() == {HoldReason.SWITCHED_OFF}

    await turn(queue, "campaign", SwitchState.ON)
    assert await queue.acts_on_wake_ups() == [id_]
    assert await queue.stages([id_]) == [Stage.REWARDED]


async def test_a_deposit_taken_back_while_switched_off_voids_what_was_deferred(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=5000)
    await turn(queue, "campaign", SwitchState.OFF)
    id_ = await queue.qualifies()
    await queue.takes_back(id_)
    assert await queue.acts[id_].wake() is Stage.VOIDED
    await turn(queue, "campaign", SwitchState.ON)
    assert await queue.woken() == []


async def test_a_credited_reward_is_taken_back_while_off_and_comes_back_when_on(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=5000)
    id_ = await queue.qualifies()
    acts = queue.acts[id_]
    await turn(queue, "campaign", SwitchState.OFF)
    await queue.takes_back(id_)
    assert await acts.wake() is Stage.REVERSED
    won = chargeback(queue.paid[id_], TakeBack.CHARGEBACK_WON, at=LATER)
    await acts.receives(won)
    await queue.woken()
    assert await acts.wake() is Stage.REVERSED
    assert await acts.open_hold_reasons() == {HoldReason.SWITCHED_OFF}

    await turn(queue, "campaign", SwitchState.ON)
    assert await queue.acts_on_wake_ups() == [id_]
    assert await queue.stages([id_]) == [Stage.REWARDED]
    assert await acts.referrer_balances() == Balances(available=1000)


async def test_turning_a_switch_on_wakes_acts_that_were_deferring_at_that_moment(
    database: Database,
) -> None:
    queue = await a_queue(database, budget=100_000)
    await turn(queue, "campaign", SwitchState.OFF)
    waiting = [await queue.deposits() for _ in range(6)]
    for acts in waiting:
        await acts.score()

    async def credit(index: int) -> None:
        if index == len(waiting) // 2:
            await turn(queue, "campaign", SwitchState.ON)
        await waiting[index].credit()

    await asyncio.gather(*(credit(index) for index in range(len(waiting))))
    await queue.acts_on_wake_ups()
    assert await queue.stages([acts.row.id for acts in waiting]) == [Stage.REWARDED] * 6


async def turn(queue: Queue, scope: str, switch_state: SwitchState) -> None:
    if scope == "campaign":
        scope = f"campaign:{queue.offer.campaign.slug}"
    async with queue.database.transaction() as session:
        outcome = await switches.turn(session, scope, switch_state, OPERATOR)
    assert outcome is SwitchOutcome.TURNED
