"""Lives whose deposit is taken back after the reward was credited."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from domain.intake.facts import TakeBack
from domain.ledger.movements import Book, Movement
from domain.lifecycle.referral import Stage
from tests import state
from tests.builders import TERMS, chargeback, usd
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.life_steps import reward_referral, spend_balance
from tests.workflows.harness.world import World

WON = TakeBack.CHARGEBACK_WON


async def test_reverses_a_credited_reward_when_the_deposit_is_charged_back(world: World) -> None:
    life, deposit = await reward_referral(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()
    assert await state.budget(world.database, life.row.campaign_id) == 100_000


async def test_reverses_once_however_often_the_chargeback_arrives(world: World) -> None:
    life, deposit = await reward_referral(world)
    copies = [chargeback(deposit) for _ in range(4)]
    for copy in (*copies, *copies):
        await life.records(copy)
        await life.routes()
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    posted = await state.movements(world.database, life.row.id)
    assert posted.count(Movement.REVERSE) == 1
    assert await life.referrer_balances() == Balances()


async def test_a_chargeback_won_reinstates_the_reward(world: World) -> None:
    life, deposit = await reward_referral(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)


async def test_a_reward_may_be_reversed_and_reinstated_again_and_again(world: World) -> None:
    life, deposit = await reward_referral(world)
    for _ in range(3):
        await life.takes_back(deposit)
        await life.reaches(Stage.REVERSED)
        await life.takes_back(deposit, WON)
        await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(world.database) == {}


async def test_a_chargeback_after_settlement_starts_the_workflow_again(world: World) -> None:
    life, deposit = await reward_referral(world)
    assert await life.lives_on() is Stage.SETTLED

    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()

    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)
    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)


async def test_a_spent_reward_is_owed_and_recovered_from_the_next_one(world: World) -> None:
    life, deposit = await reward_referral(world)
    await spend_balance(life, 700)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await life.referrer_balances() == Balances(owed=-700)
    assert await state.budget(world.database, life.row.campaign_id) == 99_300

    await reward_referral(world, await invite(world, referrer_id=life.row.referrer_id))

    assert await life.referrer_balances() == Balances(available=300)
    assert await state.budget(world.database, life.row.campaign_id) == 100_000
    recoverable = await state.balance(
        world.database, Book.RECOVERABLE, campaign_id=life.row.campaign_id
    )
    assert recoverable == 0


async def test_a_debt_is_forgiven_before_anything_is_credited_again(world: World) -> None:
    life, deposit = await reward_referral(world)
    await spend_balance(life, 700)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=300)
    assert await state.violated_invariants(world.database) == {}


async def test_a_debt_is_forgiven_even_when_the_budget_is_used_up(world: World) -> None:
    life, deposit = await reward_referral(
        world, await invite(world, await world.offer(budget=usd()))
    )
    await spend_balance(life, 1000)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await state.budget(world.database, life.row.campaign_id) == 0
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances()


async def test_both_sides_are_reversed(world: World) -> None:
    terms = replace(TERMS, referee_reward=usd(500))
    life, deposit = await reward_referral(world, await invite(world, terms=terms))
    await life.takes_back(deposit, TakeBack.REFUND)
    await life.reaches(Stage.REVERSED)

    assert (await life.referrer_balances(), await life.referee_balances()) == (
        Balances(),
        Balances(),
    )


async def test_another_deposit_cannot_replace_the_credited_one(world: World) -> None:
    life, deposit = await reward_referral(world)
    other = await life.deposits(5000)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(other)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()


async def test_a_chargeback_while_settling_is_not_lost(world: World) -> None:
    life, deposit = await reward_referral(world)
    settling = asyncio.Event()

    async def charge_back() -> None:
        if not settling.is_set():
            settling.set()
            await life.takes_back(deposit)

    world.hooks.after[life.id, "settle_referral"] = charge_back
    await life.skips_time(timedelta(days=121))
    await life.reaches(Stage.REVERSED)

    assert await life.ends() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()


async def test_a_chargeback_won_while_closing_is_settled_after_all(world: World) -> None:
    life, deposit = await reward_referral(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    async def win() -> None:
        del world.hooks.after[life.id, "settle_referral"]
        await life.takes_back(deposit, WON)

    world.hooks.after[life.id, "settle_referral"] = win
    await life.skips_time(timedelta(days=121))

    assert await life.ends() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)
