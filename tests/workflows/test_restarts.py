"""Restarts of referrals from their standing in Postgres."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from domain.campaigns.terms import Terms
from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from tests.builders import TERMS, usd
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import HOLDING
from tests.workflows.harness.world import World

BOTH: Final = replace(HOLDING, referee_reward=usd(500))


async def stays_invited(life: Life) -> None:
    assert (await life.stored_row()).stage is Stage.INVITED


async def signs_up(life: Life) -> None:
    await life.signs_up()


async def is_held(life: Life) -> None:
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.HELD)


async def is_rewarded(life: Life) -> None:
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)


async def is_reversed(life: Life) -> None:
    await is_rewarded(life)
    (deposit,) = await life.known_deposits()
    await life.takes_back(deposit, TakeBack.REFUND)
    await life.reaches(Stage.REVERSED)


async def is_settled(life: Life) -> None:
    await is_rewarded(life)
    assert await life.lives_on() is Stage.SETTLED


@pytest.mark.parametrize(
    ("terms", "until_then", "ends"),
    [
        (TERMS, stays_invited, Stage.EXPIRED),
        (TERMS, signs_up, Stage.EXPIRED),
        (HOLDING, is_held, Stage.SETTLED),
        (BOTH, is_held, Stage.SETTLED),
        (TERMS, is_rewarded, Stage.SETTLED),
        (TERMS, is_reversed, Stage.REVERSED),
        (TERMS, is_settled, Stage.SETTLED),
    ],
)
async def test_goes_on_from_where_it_stands(
    world: World, terms: Terms, until_then: Callable[[Life], Awaitable[None]], ends: Stage
) -> None:
    life = await invite(world, terms=terms)
    await until_then(life)
    before = await life.stages()
    await lose_workflow(life)

    await life.restarts()

    assert await life.lives_on() is ends
    after = await life.stages()
    assert after[: len(before)] == before
    assert len(set(after)) == len(after)


async def test_a_deferred_referral_goes_on_waiting(world: World) -> None:
    life = await invite(world, await world.offer(budget=usd(1)))
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.DEFERRED)
    await lose_workflow(life)

    await life.restarts()
    await life.skips_time(timedelta(days=31))

    await life.acted("score_and_credit", 2)
    assert (await life.stored_row()).stage is Stage.DEFERRED


async def test_facts_recorded_while_the_workflow_was_lost_are_acted_on(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await lose_workflow(life)
    deposit = life.deposit()
    await life.records(deposit)

    await life.restarts()
    await life.signals("look")
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED


async def test_a_delivery_starts_a_lost_workflow_where_it_stands(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await lose_workflow(life)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED


async def lose_workflow(life: Life) -> None:
    """Terminate the workflow, as if its Temporal cluster was lost."""
    if (await life.handle.describe()).close_time is None:
        await life.handle.terminate("a test loses it")
