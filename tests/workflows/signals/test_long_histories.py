"""Histories that grow: they continue as new before Temporal's limits, and lose nothing."""

import asyncio
from typing import Final

import pytest
from temporalio.client import WorkflowContinuedAsNewError

from domain.lifecycle.referral import Stage
from runtime.settings import Settings
from tests.fixtures.temporal import start_server
from tests.state import Balances
from tests.workflows.harness.life import PATIENCE_S, Life, invite
from tests.workflows.harness.world import World, running_world
from tests.workflows.replay import replay_runs, runs_of

LOW_THRESHOLD: Final = "--dynamic-config-value=limit.historyCount.suggestContinueAsNew=40"
FLOOD: Final = 50
"""Signals of one flood, whose history is over the threshold."""


async def renews_under(life: Life, signal: str) -> None:
    """Send a flood, and wait until another run has taken over."""
    first = (await life.handle.describe()).run_id
    await asyncio.gather(*(life.signals(signal) for _ in range(FLOOD)))
    run = life.world.env.client.get_workflow_handle(life.id, run_id=first)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(WorkflowContinuedAsNewError):
            await run.result(follow_runs=False)


async def test_floods_of_signals_continue_as_new_in_every_stage(
    shared_world: World, settings: Settings
) -> None:
    async with (
        await start_server(LOW_THRESHOLD) as env,
        running_world(env, shared_world.database, settings) as world,
    ):
        life = await invite(world)
        await life.signals("make_deposit", life.deposit())  # nothing reads it before the signup
        await renews_under(life, "supersede")
        await life.signs_up()
        await life.reaches(Stage.SIGNED_UP)
        await renews_under(life, "look")
        deposit = await life.deposits()
        await life.reaches(Stage.REWARDED)
        await renews_under(life, "supersede")

        assert await life.referrer_balances() == Balances(available=1000)
        await life.takes_back(deposit)
        await life.reaches(Stage.REVERSED)
        await replay_runs(env.client, runs_of(world, life.id))
