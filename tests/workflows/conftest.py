"""The world in which referrals live, the replay of every life, and the check of the invariants."""

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import WorkflowEnvironment

from runtime.settings import Settings
from stack.postgres import PostgresCluster
from tests.fixtures.databases import database_copy, open_database
from tests.state import violated_invariants
from tests.workflows.harness.world import World, running_world
from tests.workflows.replay import replay_runs
from workflows.builds import ASKING_BUILD_ID

TWO_ACTS = frozenset({"score_fraud", "credit_reward"})
"""Acts of workers that ask fraud providers; others do both in one."""


@pytest.fixture(scope="session")
async def shared_world(
    postgres: PostgresCluster,
    template_database: str,
    temporal_env: WorkflowEnvironment,
    settings: Settings,
) -> AsyncIterator[World]:
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
        running_world(temporal_env, database, settings) as world,
    ):
        yield world
        assert await violated_invariants(database) == {}


@pytest.fixture
async def world(shared_world: World) -> AsyncIterator[World]:
    """Share the world, and after each test replay every run that it started."""
    known = set(shared_world.hooks.runs)
    yield shared_world
    lived = [run for run in shared_world.hooks.runs if run not in known]
    await replay_runs(shared_world.env.client, lived)


class HonestProvider:
    """A fraud provider that warns of nobody."""

    name = "honest"

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        return referrer_id == referee_id


@pytest.fixture
async def acting_world(act: str, shared_world: World, settings: Settings) -> AsyncIterator[World]:
    """Return a world in which lives have the act, whose runs are replayed after the test."""
    providers = [HonestProvider()] if act in TWO_ACTS else []
    build = {"build_id": ASKING_BUILD_ID} if providers else {}
    env, database = shared_world.env, shared_world.database
    async with running_world(env, database, settings, providers=providers, **build) as world:
        yield world
        await replay_runs(env.client, world.hooks.runs)
