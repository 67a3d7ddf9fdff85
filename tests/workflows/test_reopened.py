"""Lives that EXPIRED and go on, because what was in time is reported late."""

from datetime import timedelta

from domain.lifecycle.referral import Stage
from tests import state
from tests.builders import TERMS
from tests.state import Balances
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.recorded_lives import end_with, reopened_while_ending
from tests.workflows.harness.world import World

TWICE_SIGNED_UP = [
    Stage.INVITED,
    Stage.SIGNED_UP,
    Stage.EXPIRED,
    Stage.SIGNED_UP,
    Stage.REWARDED,
]


async def expired_without_deposit(world: World) -> Life:
    life = await invite(world)
    await life.signs_up()
    assert await life.lives_on() is Stage.EXPIRED
    return life


async def test_a_deposit_in_time_is_rewarded_after_the_expiry(world: World) -> None:
    life = await expired_without_deposit(world)

    deposit = await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.stages() == TWICE_SIGNED_UP
    assert (await life.stored_row()).qualified_by == deposit.event_id
    assert await life.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(world.database) == {}


async def test_its_chargeback_still_reverses_it(world: World) -> None:
    life = await expired_without_deposit(world)
    deposit = await life.deposits()
    await life.reaches(Stage.REWARDED)

    await life.takes_back(deposit)
    await life.reaches(Stage.REVERSED)

    assert await life.lives_on() is Stage.REVERSED
    assert await life.referrer_balances() == Balances()


async def test_a_signup_in_time_goes_on_to_a_reward_after_the_expiry(world: World) -> None:
    life = await invite(world)
    assert await life.lives_on() is Stage.EXPIRED

    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.stages() == [
        Stage.INVITED,
        Stage.EXPIRED,
        Stage.SIGNED_UP,
        Stage.REWARDED,
    ]
    assert await life.referrer_balances() == Balances(available=1000)


async def test_it_expires_again_when_the_deposit_is_taken_back_first(world: World) -> None:
    life = await expired_without_deposit(world)
    deposit = life.deposit()

    async def take_back() -> None:
        del world.hooks.before[life.id, "score_and_credit"]
        await life.takes_back(deposit)

    world.hooks.before[life.id, "score_and_credit"] = take_back
    await life.receives(deposit)

    await life.acted("score_and_credit")
    assert await life.lives_on() is Stage.EXPIRED
    assert await life.stages() == [*TWICE_SIGNED_UP[:4], Stage.EXPIRED]


async def test_a_deposit_after_its_window_stays_without_effect(world: World) -> None:
    life = await expired_without_deposit(world)
    late = life.began_at + TERMS.deposit_window + timedelta(seconds=1)

    await life.deposits(occurred_at=late)

    assert await life.ends() is Stage.EXPIRED
    assert await life.stages() == TWICE_SIGNED_UP[:3]


async def test_a_deposit_reported_as_the_run_is_ending_is_not_lost(world: World) -> None:
    life = await reopened_while_ending(world)

    assert await life.stages() == TWICE_SIGNED_UP
    assert await life.referrer_balances() == Balances(available=1000)


async def test_a_signup_reported_as_the_run_is_ending_is_waited_on(world: World) -> None:
    life = await invite(world)
    await end_with(life, life.signup())

    assert await life.lives_on() is Stage.EXPIRED
    assert await life.stages() == [
        Stage.INVITED,
        Stage.EXPIRED,
        Stage.SIGNED_UP,
        Stage.EXPIRED,
    ]
