"""Acts that ask a fraud provider wait in a queue of their own; those that move money do not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from temporalio.client import WorkflowHistory

from domain.lifecycle.referral import Stage
from runtime.settings import Settings
from tests.workflows.acts.test_acts_in_place import acts_of, first_run
from tests.workflows.harness.life import invite
from tests.workflows.harness.world import World, running_world
from tests.workflows.replay import replay_runs
from workflows.builds import ASKING_BUILD_ID, provider_queue_of


@dataclass(slots=True)
class FlakyProvider:
    """A fraud provider that may be away."""

    name: str = "flaky"
    is_away: bool = False

    async def suspects(self, *, referrer_id: str, referee_id: str) -> bool:
        if self.is_away:
            raise ConnectionError("nobody answers")
        return referrer_id == referee_id


@pytest.fixture
def provider() -> FlakyProvider:
    return FlakyProvider()


@pytest.fixture
async def asking_world(
    shared_world: World, settings: Settings, provider: FlakyProvider
) -> AsyncIterator[World]:
    async with running_world(
        shared_world.env,
        shared_world.database,
        settings,
        build_id=ASKING_BUILD_ID,
        providers=[provider],
    ) as world:
        yield world
        await replay_runs(world.env.client, world.hooks.runs)


def queues_of(history: WorkflowHistory) -> dict[str, str]:
    """Return the task queue of each act that was handed out, by its name."""
    scheduled = (event.activity_task_scheduled_event_attributes for event in history.events)
    return {
        attributes.activity_type.name: attributes.task_queue.name
        for attributes in scheduled
        if attributes.activity_type.name
    }


async def test_only_acts_that_ask_go_to_the_queue_of_providers(
    asking_world: World,
) -> None:
    life = await invite(asking_world)
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    await life.lives_on()

    history = await first_run(life)
    assert queues_of(history) == {"score_fraud": provider_queue_of(asking_world.task_queue)}
    assert acts_of(history)["local"] >= 1, "the credit"


async def test_a_silent_provider_is_asked_again_in_its_queue(
    asking_world: World, provider: FlakyProvider
) -> None:
    provider.is_away = True
    life = await invite(asking_world)
    await life.signs_up()
    await life.deposits()
    await life.reaches(Stage.HELD)
    provider.is_away = False
    await life.lives_on()

    assert (await life.stored_row()).stage is Stage.SETTLED
    history = await first_run(life)
    assert queues_of(history)["resolve_hold"] == provider_queue_of(asking_world.task_queue)
    assert "credit_reward" not in queues_of(history)
