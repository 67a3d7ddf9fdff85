"""The world in which referrals live, and the replay of every life in it."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from messaging.carrier import Carrier
from settings import Settings
from stack.postgres import Postgres
from tests.builders import unique
from tests.fixtures.databases import connected, copied
from tests.workflows.lives import World
from tests.workflows.prompter import Prompter
from tests.workflows.replaying import replay_runs
from worker import build_activities, build_worker


@pytest.fixture(scope="session")
async def shared_world(
    postgres: Postgres, migrated: str, temporal_env: WorkflowEnvironment, settings: Settings
) -> AsyncIterator[World]:
    prompter = Prompter()
    client = prompter.joined_to(temporal_env.client)
    task_queue = unique("lives")
    async with copied(postgres, migrated) as urls, connected(urls.application) as database:

        async def connect() -> Client:
            return temporal_env.client

        carrier = Carrier(database, connect=connect, task_queue=task_queue)
        activities = build_activities(database, settings)
        async with build_worker(client, activities, task_queue=task_queue):
            yield World(temporal_env, database, carrier, prompter, task_queue)


@pytest.fixture
async def world(shared_world: World) -> AsyncIterator[World]:
    """Whatever lived in the test is replayed after it, run by run."""
    known = set(shared_world.prompter.runs)
    yield shared_world
    await replay_runs(shared_world.env.client, shared_world.prompter.runs - known)
