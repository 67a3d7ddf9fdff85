"""Cost of a referral: billed actions and history events, against the real clock."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from temporalio.testing import WorkflowEnvironment

from domain.lifecycle.referral import Stage
from runtime.settings import Settings
from stack import ports
from stack.postgres import PostgresCluster
from stack.temporal import temporal_executable
from tests.builders import TERMS
from tests.fixtures.databases import database_copy, open_database
from tests.fixtures.temporal import SKIPPING
from tests.workflows.harness.billing import Meter, difference
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.world import World, running_world
from tests.workflows.replay import runs_of
from workflows.payloads import DATA_CONVERTER
from workflows.referral import visibility

BRIEF: Final = replace(
    TERMS, chargeback_window=timedelta(seconds=1), lateness_grace=timedelta(seconds=0)
)
MOST_ACTIONS: Final = 12
MOST_EVENTS: Final = 48
MOST_ACTIONS_EXPIRED: Final = 3


@pytest.fixture(scope="module")
async def metered_world(
    postgres: PostgresCluster, template_database: str, settings: Settings
) -> AsyncIterator[tuple[World, Meter]]:
    port = ports.find_free()
    env = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(temporal_executable()),
        dev_server_extra_args=[*SKIPPING, f"--metrics-port={port}"],
        data_converter=DATA_CONVERTER,
        search_attributes=list(visibility.SEARCH_ATTRIBUTES),
    )
    async with (
        env,
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
        running_world(env, database, settings) as world,
    ):
        yield world, Meter(port)


async def events(life: Life) -> int:
    client = life.world.env.client
    runs = [
        client.get_workflow_handle(id_, run_id=run_id)
        for id_, run_id in runs_of(life.world, life.id)
    ]
    return sum([len((await run.fetch_history()).events) for run in runs])


async def test_a_rewarded_and_settled_referral_is_cheap(
    metered_world: tuple[World, Meter], capsys: pytest.CaptureFixture[str]
) -> None:
    world, meter = metered_world
    before = await meter.actions()
    life = await invite(world, terms=BRIEF)
    await life.signs_up()
    await life.deposits()

    assert await life.ends() is Stage.SETTLED

    spent = difference(before, await meter.settled())
    recorded = await events(life)
    with capsys.disabled():
        print(f"\nsettled: {sum(spent.values())} actions, {recorded} events: {spent}")  # noqa: T201
    assert sum(spent.values()) <= MOST_ACTIONS
    assert recorded <= MOST_EVENTS


async def test_an_expired_invitation_costs_next_to_nothing(
    metered_world: tuple[World, Meter], capsys: pytest.CaptureFixture[str]
) -> None:
    world, meter = metered_world
    before = await meter.actions()
    life = await invite(world, terms=replace(BRIEF, signup_window=timedelta(seconds=1)))

    assert await life.ends() is Stage.EXPIRED

    spent = difference(before, await meter.settled())
    with capsys.disabled():
        print(f"\nexpired: {sum(spent.values())} actions, {await events(life)} events: {spent}")  # noqa: T201
    assert sum(spent.values()) <= MOST_ACTIONS_EXPIRED
