"""Lives whose reward waits for a budget."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.campaigns.limits.decision import Limit, LimitOf
from domain.campaigns.limits.periods import Per
from domain.campaigns.rules import Rules
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from tests import state
from tests.builders import TERMS, usd
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.life_steps import (
    defer_referral,
    end_campaign,
    reward_referral,
    top_up_budget,
)
from tests.workflows.harness.world import World


async def test_an_empty_budget_defers_the_reward_until_a_top_up(world: World) -> None:
    life = await defer_referral(world)
    assert await life.referrer_balances() == Balances()
    assert await state.rewards(world.database, life.row.id) == {"referrer": RewardStatus.DEFERRED}

    await top_up_budget(life, 1)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)
    assert await state.budget(world.database, life.row.campaign_id) == 0
    assert await life.lives_on() is Stage.SETTLED


async def test_a_top_up_that_is_too_small_keeps_it_waiting(world: World) -> None:
    life = await defer_referral(world, budget=usd(1))
    await top_up_budget(life, 998)
    await life.acted("score_and_credit", 2)
    assert (await life.stored_row()).stage is Stage.DEFERRED

    await top_up_budget(life, 1)
    await life.reaches(Stage.REWARDED)


async def test_money_that_comes_back_pays_the_one_that_waits(world: World) -> None:
    offer = await world.offer(budget=usd(1000))
    paid, deposit = await reward_referral(world, await invite(world, offer))
    waiting = await invite(world, offer)
    await waiting.signs_up()
    await waiting.deposits()
    await waiting.reaches(Stage.DEFERRED)

    await paid.takes_back(deposit)
    await paid.reaches(Stage.REVERSED)
    await world.carry()
    await waiting.reaches(Stage.REWARDED)

    assert await waiting.referrer_balances() == Balances(available=1000)


async def test_is_unfunded_when_the_campaign_is_ended_without_a_budget(world: World) -> None:
    life = await defer_referral(world)
    await end_campaign(life)

    assert await life.ends() is Stage.UNFUNDED
    assert await state.rewards(world.database, life.row.id) == {"referrer": RewardStatus.VOID}


async def test_is_unfunded_when_the_campaign_runs_out(world: World) -> None:
    life = await defer_referral(world, ends_at=datetime.now(UTC) + timedelta(days=10))

    assert await life.lives_on() is Stage.UNFUNDED


async def test_is_voided_when_the_deposit_is_taken_back_while_deferred(world: World) -> None:
    life = await defer_referral(world)
    (deposit,) = await life.known_deposits()
    await life.takes_back(deposit, TakeBack.REFUND)

    assert await life.ends() is Stage.VOIDED
    await top_up_budget(life, 1)
    assert await life.referrer_balances() == Balances()


async def test_over_a_limit_the_reward_is_paid_when_the_next_period_begins(world: World) -> None:
    limit = Limit(of=LimitOf.CAMPAIGN, per=Per.DAY, rewards=1)
    offer = await world.offer(terms=replace(TERMS, rules=Rules(limits=(limit,))))
    await reward_referral(world, await invite(world, offer))
    waiting = await invite(world, offer)
    await waiting.signs_up()
    await waiting.deposits()
    await waiting.reaches(Stage.DEFERRED)
    until = (await waiting.stored_row()).until
    assert (until.hour, until.minute) == (0, 0)

    await waiting.skips_time(until - await waiting.now())
    await waiting.reaches(Stage.REWARDED)
    assert await waiting.referrer_balances() == Balances(available=1000)
