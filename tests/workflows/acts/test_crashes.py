"""An act that crashes after its commit, before Temporal knows, is retried and pays once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.ledger.movements import Movement
from domain.lifecycle.referral import Stage
from tests import state
from tests.state import Balances
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import reward_referral
from tests.workflows.harness.world import World


def die_after(life: Life, act: str) -> Callable[[], Awaitable[None]]:
    async def die() -> None:
        del life.world.hooks.after[life.id, act]
        raise ConnectionError("the worker died after its commit")

    return die


@pytest.mark.parametrize(
    "act",
    ["score_and_credit", "score_fraud", "credit_reward", "compensate_reward", "settle_referral"],
)
async def test_pays_and_takes_back_once(acting_world: World, act: str) -> None:
    world = acting_world
    life = await invite(world)
    world.hooks.after[life.id, act] = die_after(life, act)
    _, deposit = await reward_referral(world, life)
    assert await life.referrer_balances() == Balances(available=1000)
    if act == "settle_referral":
        await life.skips_time(timedelta(days=121))
        assert await life.ends() is Stage.SETTLED
    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    assert (life.id, act) not in world.hooks.after
    assert sorted(await state.movements(world.database, life.row.id)) == sorted(
        [Movement.HOLD, Movement.RELEASE, Movement.REVERSE]
    )
    assert await state.violated_invariants(world.database) == {}


async def test_expires_once(world: World) -> None:
    life = await invite(world)
    world.hooks.after[life.id, "expire_referral"] = die_after(life, "expire_referral")

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.stages() == [Stage.INVITED, Stage.EXPIRED]
