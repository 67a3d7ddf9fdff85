"""Requests to cancel, which anybody at Temporal's port may send: a workflow looks, and goes on."""

import asyncio
from datetime import timedelta

import pytest

from domain.fraud.cases import CaseChoice, CaseStatus
from domain.lifecycle.referral import Stage
from tests import state
from tests.state import Balances
from tests.workflows.harness.held_case import open_case
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.recorded_lives import cancelled_while_crediting
from tests.workflows.harness.world import World
from tests.workflows.replay import replay_runs, runs_of


async def cancel(life: Life) -> None:
    await life.handle.cancel()


async def test_a_referral_that_is_cancelled_at_every_stage_is_paid_and_settled(
    world: World,
) -> None:
    life = await invite(world)
    await cancel(life)
    await life.signs_up()
    await life.reaches(Stage.SIGNED_UP)
    await cancel(life)
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    await cancel(life)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)
    assert await state.violated_invariants(world.database) == {}
    await replay_runs(world.env.client, runs_of(world, life.id))


async def test_an_invitation_that_is_cancelled_expires_at_its_time(world: World) -> None:
    life = await invite(world)
    await cancel(life)

    assert await life.lives_on() is Stage.EXPIRED


@pytest.mark.parametrize("act", ["score_and_credit", "score_fraud", "credit_reward"])
async def test_a_cancellation_during_an_act_loses_nothing(acting_world: World, act: str) -> None:
    life = await cancelled_while_crediting(acting_world, act)

    assert await life.lives_on() is Stage.SETTLED
    assert await life.referrer_balances() == Balances(available=1000)


async def test_what_is_told_in_the_moment_of_a_cancellation_is_looked_at(world: World) -> None:
    lives = [await invite(world) for _ in range(6)]
    for life in lives:
        await life.signs_up()
        await life.reaches(Stage.SIGNED_UP)
        await life.records(life.deposit())

    await asyncio.gather(*(told for life in lives for told in (cancel(life), life.routes())))

    for life in lives:
        await life.reaches(Stage.REWARDED)


async def test_a_case_that_is_cancelled_is_still_escalated(world: World) -> None:
    case = await open_case(world)
    await case.handle.cancel()

    await world.env.fast_forward(case.handle, timedelta(days=20))

    assert (await case.stored_row()).escalated_at
    await case.decide(CaseChoice.APPROVE)
    assert await case.ends() is CaseStatus.DECIDED
