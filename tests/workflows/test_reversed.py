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
from tests.workflows.life import invited
from tests.workflows.life_steps import rewarded, spent
from tests.workflows.world import World

WON = TakeBack.CHARGEBACK_WON


async def test_reverses_a_credited_reward_when_the_deposit_is_charged_back(world: World) -> None:
    life, deposit = await rewarded(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer() == Balances()
    assert await state.budget(world.database, life.row.campaign_id) == 100_000


async def test_reverses_once_however_often_it_is_heard(world: World) -> None:
    life, deposit = await rewarded(world)
    copies = [chargeback(deposit) for _ in range(4)]
    for copy in (*copies, *copies):
        await life.records(copy)
        await life.routes()
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    posted = await state.movements(world.database, life.row.id)
    assert posted.count(Movement.REVERSE) == 1
    assert await life.referrer() == Balances()


async def test_a_chargeback_won_reinstates_the_reward(world: World) -> None:
    life, deposit = await rewarded(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer() == Balances(available=1000)


async def test_a_reward_may_be_reversed_and_reinstated_again_and_again(world: World) -> None:
    life, deposit = await rewarded(world)
    for _ in range(3):
        await life.takes_back(deposit)
        await life.reaches(Stage.REVERSED)
        await life.takes_back(deposit, WON)
        await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer() == Balances(available=1000)
    assert await state.violated_invariants(world.database) == {}


async def test_a_chargeback_after_the_end_starts_it_anew(world: World) -> None:
    life, deposit = await rewarded(world)
    assert await life.lives_on() is Stage.SETTLED

    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer() == Balances()

    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)
    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer() == Balances(available=1000)


async def test_what_was_spent_is_owed_and_recovered_from_the_next_reward(world: World) -> None:
    life, deposit = await rewarded(world)
    await spent(life, 700)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await life.referrer() == Balances(owed=-700)
    assert await state.budget(world.database, life.row.campaign_id) == 99_300

    await rewarded(world, await invited(world, referrer_id=life.row.referrer_id))

    assert await life.referrer() == Balances(available=300)
    assert await state.budget(world.database, life.row.campaign_id) == 100_000
    recoverable = await state.balance(
        world.database, Book.RECOVERABLE, campaign_id=life.row.campaign_id
    )
    assert recoverable == 0


async def test_a_debt_is_forgiven_before_anything_is_credited_again(world: World) -> None:
    life, deposit = await rewarded(world)
    await spent(life, 700)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer() == Balances(available=300)
    assert await state.violated_invariants(world.database) == {}


async def test_a_debt_is_forgiven_even_when_the_budget_is_used_up(world: World) -> None:
    life, deposit = await rewarded(world, await invited(world, await world.offer(budget=usd())))
    await spent(life, 1000)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    assert await state.budget(world.database, life.row.campaign_id) == 0
    await life.takes_back(deposit, WON)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer() == Balances()


async def test_both_sides_are_reversed(world: World) -> None:
    terms = replace(TERMS, referee_reward=usd(500))
    life, deposit = await rewarded(world, await invited(world, terms=terms))
    await life.takes_back(deposit, TakeBack.REFUND)
    await life.reaches(Stage.REVERSED)

    assert (await life.referrer(), await life.referee()) == (Balances(), Balances())


async def test_another_deposit_cannot_replace_the_credited_one(world: World) -> None:
    life, deposit = await rewarded(world)
    other = await life.deposits(5000)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)
    await life.takes_back(other)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer() == Balances()


async def test_a_chargeback_while_settling_is_not_lost(world: World) -> None:
    life, deposit = await rewarded(world)
    settling = asyncio.Event()

    async def charge_back() -> None:
        if not settling.is_set():
            settling.set()
            await life.takes_back(deposit)

    world.prompter.after[life.id, "settle_referral"] = charge_back
    await life.passes(timedelta(days=121))
    await life.reaches(Stage.REVERSED)

    assert await life.ends() is Stage.REVERSED
    assert await life.referrer() == Balances()


async def test_a_chargeback_won_while_closing_is_settled_after_all(world: World) -> None:
    life, deposit = await rewarded(world)
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    async def win() -> None:
        del world.prompter.after[life.id, "settle_referral"]
        await life.takes_back(deposit, WON)

    world.prompter.after[life.id, "settle_referral"] = win
    await life.passes(timedelta(days=121))

    assert await life.ends() is Stage.SETTLED
    assert await life.referrer() == Balances(available=1000)
