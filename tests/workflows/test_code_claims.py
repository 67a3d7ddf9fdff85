"""A player who moves to another referrer: the first referral is lost, the second one earns."""

import asyncio
from uuid import uuid4

from domain.lifecycle.referral import Stage
from referrals.attribution.log import AttemptResult
from tests import state
from tests.state import Balances
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import claim_other_code
from tests.workflows.harness.world import World

RACES = 20


async def moved_life(life: Life, other: Life, binding: AttemptResult) -> Life:
    """Return the referral to which the friend has moved."""
    row = await state.referral(life.world.database, binding.referral_id or uuid4())
    return Life(life.world, row, other.began_at, life.referee_id)


async def test_the_first_referral_is_lost_and_the_second_earns(world: World) -> None:
    first, other = await invite(world), await invite(world)
    await first.signs_up()

    binding = await claim_other_code(first, other)
    second = await moved_life(first, other, binding)
    await second.deposits()
    await second.reaches(Stage.REWARDED)

    assert binding.outcome == "rebound"
    assert await first.ends() is Stage.LOST
    assert await first.stages() == [Stage.INVITED, Stage.SIGNED_UP, Stage.LOST]
    assert (await first.referrer_balances(), await other.referrer_balances()) == (
        Balances(),
        Balances(available=1000),
    )


async def test_a_deposit_made_before_the_code_was_typed_counts(world: World) -> None:
    stranger, other = await invite(world), await invite(world)
    await stranger.signs_up(referral_token=None)
    await stranger.deposits()

    binding = await claim_other_code(stranger, other)
    second = await moved_life(stranger, other, binding)
    await second.reaches(Stage.REWARDED)

    assert binding.outcome == "bound"
    assert await other.referrer_balances() == Balances(available=1000)
    assert (await stranger.stored_row()).stage is Stage.INVITED


async def test_one_referrer_is_credited_when_a_deposit_races_with_a_code_claim(
    world: World,
) -> None:
    for _ in range(RACES):
        first, other = await invite(world), await invite(world)
        await first.signs_up()

        _, binding = await asyncio.gather(first.deposits(), claim_other_code(first, other))
        await world.carry()
        winner = first
        if binding.outcome == "rebound":
            winner = await moved_life(first, other, binding)
        await winner.reaches(Stage.REWARDED)

        credited = (await first.referrer_balances()).available + (
            await other.referrer_balances()
        ).available
        assert binding.outcome in {"rebound", "already_earned"}
        assert credited == 1000
