"""Lives that end with a reward."""

from dataclasses import replace
from datetime import timedelta

from temporalio.api.enums.v1 import EventType

from domain.intake.facts import TakeBack
from domain.lifecycle.referral import Stage
from tests import state
from tests.builders import TERMS, usd
from tests.state import Balances
from tests.workflows.harness.life import invite
from tests.workflows.harness.life_steps import reward_referral
from tests.workflows.harness.world import World


async def test_credits_the_referrer_when_the_friend_deposits_and_settles_at_the_end(
    world: World,
) -> None:
    life, _ = await reward_referral(world)

    assert await life.referrer_balances() == Balances(available=1000)
    assert await life.lives_on() is Stage.SETTLED
    assert await life.stages() == [Stage.INVITED, Stage.SIGNED_UP, Stage.REWARDED, Stage.SETTLED]
    assert await life.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(world.database) == {}


async def test_continues_as_new_once_credited_with_nothing_but_its_standing(world: World) -> None:
    life, _ = await reward_referral(world)
    await life.lives_on()

    started = (await life.history()).events[0].workflow_execution_started_event_attributes
    # Where a signal came meanwhile, the task and its acts are done again, and it looks once more.
    acted = [act for workflow, act in world.hooks.acted if workflow == life.id]
    acts = [act for act in dict.fromkeys(acted) if act != "compensate_reward"]
    assert started.continued_execution_run_id
    assert len((await life.history()).events) < 25
    assert acts == ["score_and_credit", "settle_referral"]


async def test_counts_a_deposit_that_arrives_before_its_signup(world: World) -> None:
    life = await invite(world)
    await life.deposits()
    await life.signs_up()
    await life.reaches(Stage.REWARDED)

    assert await life.lives_on() is Stage.SETTLED


async def test_small_deposits_before_the_qualifying_one_disqualify_nobody(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    await life.deposits(999)
    await life.deposits(1)
    assert (await life.stored_row()).stage is Stage.SIGNED_UP

    await life.deposits(1000)
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)


async def test_a_deposit_in_time_that_arrives_in_the_grace_counts(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    deposit = life.deposit(occurred_at=life.began_at + TERMS.deposit_window)
    await life.skips_time(TERMS.deposit_window + timedelta(minutes=30))
    await life.receives(deposit)
    await life.reaches(Stage.REWARDED)

    assert (await life.stored_row()).qualified_by == deposit.event_id


async def test_rewards_both_sides(world: World) -> None:
    life = await invite(world, terms=replace(TERMS, referee_reward=usd(500)))
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    assert await life.referrer_balances() == Balances(available=1000)
    assert await life.referee_balances() == Balances(available=500)
    assert await life.lives_on() is Stage.SETTLED


async def test_a_partial_refund_that_leaves_the_minimum_keeps_the_reward(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    deposit = await life.deposits(1500)
    await life.reaches(Stage.REWARDED)
    await life.takes_back(deposit, TakeBack.REFUND, amount=usd(500))
    await life.acted("compensate_reward")

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)


async def test_every_copy_of_every_event_changes_nothing(world: World) -> None:
    life = await invite(world)
    signup, deposit = life.signup(), life.deposit()
    for fact in (signup, signup, deposit, deposit, signup, deposit):
        await life.receives(fact)
    await life.reaches(Stage.REWARDED)
    await life.receives(deposit)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.stages() == [Stage.INVITED, Stage.SIGNED_UP, Stage.REWARDED, Stage.SETTLED]
    assert await life.referrer_balances() == Balances(available=1000)


async def test_an_engineer_reads_its_state_in_the_temporal_ui(world: World) -> None:
    life, _ = await reward_referral(world)
    await life.skips_time(timedelta(days=1))

    described = await life.handle.describe()
    attributes = {pair.key.name: pair.value for pair in described.typed_search_attributes}
    assert attributes["ReferralStage"] == "REWARDED"
    assert attributes["RefereeId"] == life.referee_id
    assert await life.handle.query("current_stage") == "REWARDED"
    kinds = [event.event_type for event in (await life.history()).events]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED in kinds
