"""Acts as local activities: what the history keeps of them, and how they fall back to tasks."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from domain.lifecycle.referral import Stage
from runtime.settings import Settings
from tests.builders import unique
from tests.workflows.harness.life import Life, invite
from tests.workflows.harness.life_steps import (
    claim_other_code,
    defer_referral,
    hold_for_review,
    reward_referral,
)
from tests.workflows.harness.world import World, running_world
from tests.workflows.replay import replay_runs
from workflows.builds import ASKING_BUILD_ID

LOCAL = "core_local_activity"
EARLIER = "21298be9c61766f2d707b361c7d14897"
"""The build of a worker before 0.3: a hash of its code."""


def acts_of(history: WorkflowHistory) -> Counter[str]:
    """Count the acts of a run: local ones are markers, others tasks."""
    markers = (event.marker_recorded_event_attributes.marker_name for event in history.events)
    tasks = (EventType.Name(event.event_type) for event in history.events)
    return Counter(
        {
            "local": sum(name == LOCAL for name in markers),
            "tasks": sum(name == "EVENT_TYPE_ACTIVITY_TASK_SCHEDULED" for name in tasks),
        }
    )


async def first_run(life: Life) -> WorkflowHistory:
    runs = [run for run in life.world.hooks.runs if run[0] == life.id]
    handle = life.world.env.client.get_workflow_handle(life.id, run_id=runs[0][1])
    return await handle.fetch_history()


async def attributes_of(life: Life) -> dict[str, object]:
    described = await life.handle.describe()
    return {pair.key.name: pair.value for pair in described.typed_search_attributes}


async def test_a_referral_is_scored_and_credited_without_a_task_of_its_own(world: World) -> None:
    life, _ = await reward_referral(world)
    await life.lives_on()

    acts = acts_of(await first_run(life))
    # A task that met a further signal is done again, and finds the referral credited.
    assert acts["local"] in {1, 2}
    assert acts["tasks"] == 0


async def test_a_local_act_says_what_it_was_asked_and_given(world: World) -> None:
    life, paid = await reward_referral(world)
    await life.lives_on()

    shown = [
        event.user_metadata.summary.data.decode()
        for event in (await first_run(life)).events
        if event.marker_recorded_event_attributes.marker_name == LOCAL
    ]
    asked = f"score, and credit, hold, defer or refuse (at SIGNED_UP, {paid.event_id})"
    assert f'"{asked}"' in shown


@pytest.mark.parametrize("act", ["score_and_credit", "score_fraud", "credit_reward"])
async def test_an_act_that_fails_again_and_again_is_handed_out_as_a_task(
    acting_world: World, act: str
) -> None:
    life = await invite(acting_world)
    await life.signs_up()
    failures = iter([OSError("away"), OSError("away")])

    async def fail() -> None:
        for failure in failures:
            raise failure

    # A hooked act fails in each local try, so these are the failures of the task.
    acting_world.hooks.before[life.id, act] = fail
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    await life.lives_on()

    assert acts_of(await first_run(life))["tasks"] >= 1
    assert (await life.referrer_balances()).available == 1000


async def test_an_act_of_many_slow_statements_is_done(world: World) -> None:
    life = await invite(world)
    await life.signs_up()

    async def take_long() -> None:
        await asyncio.sleep(11)

    # A hooked act is done as a task; its limit was ten seconds, within which it never ended.
    world.hooks.before[life.id, "score_and_credit"] = take_long
    await life.deposits()
    await life.reaches(Stage.REWARDED)
    assert world.hooks.acted.count((life.id, "score_and_credit")) == 1
    await life.lives_on()


async def test_workers_of_two_releases_share_a_referral(
    shared_world: World, settings: Settings
) -> None:
    queue, database = unique("two-releases"), shared_world.database
    env = shared_world.env
    async with running_world(env, database, settings, task_queue=queue, build_id=EARLIER) as before:
        life = await invite(before)
        await life.signs_up()
        await life.deposits()
        await life.reaches(Stage.REWARDED)
        acted_by_task = await first_run(life)
    async with running_world(env, database, settings, task_queue=queue) as after:
        life.world = after
        assert await life.lives_on() is Stage.SETTLED

        acts = acts_of(acted_by_task)
        assert acts["local"] == 0
        assert acts["tasks"] >= 2
        assert acts_of(await life.history())["local"] == 1
        await replay_runs(env.client, [*before.hooks.runs, *after.hooks.runs])


async def test_a_worker_of_another_build_answers_queries_about_a_run(
    shared_world: World, settings: Settings
) -> None:
    queue, database = unique("two-builds"), shared_world.database
    env = shared_world.env
    async with running_world(
        env, database, settings, task_queue=queue, build_id=ASKING_BUILD_ID
    ) as asking:
        life = await invite(asking)
        await life.signs_up()
        await life.deposits()
        await life.reaches(Stage.REWARDED)
    # A query alone has no task that its build would be read from.
    async with running_world(env, database, settings, task_queue=queue):
        for run in asking.hooks.runs:
            handle = env.client.get_workflow_handle(run[0], run_id=run[1])
            assert await handle.query("current_stage") in {Stage.SIGNED_UP, Stage.REWARDED}


async def test_a_deposit_that_cannot_qualify_wakes_nobody(world: World) -> None:
    life = await invite(world)
    await life.signs_up()
    for _ in range(3):
        await life.deposits(1)
    await life.deposits()
    await life.reaches(Stage.REWARDED)

    names = [
        e.workflow_execution_signaled_event_attributes.signal_name
        for e in (await first_run(life)).events
    ]
    assert Counter(filter(None, names)) == {"sign_up": 1, "look": 1}


async def test_a_held_referral_can_be_found_and_says_what_it_waits_for(world: World) -> None:
    life = await hold_for_review(world)
    await life.skips_time(timedelta(minutes=1))

    assert (await attributes_of(life))["ReferralStage"] == "HELD"
    shown = await life.handle.query("__temporal_workflow_metadata")
    assert "held for: review" in str(shown)
    assert "fraud score: 100" in str(shown)
    assert "amount: 1000 minor units of USD" in str(shown)


async def test_a_deferred_referral_can_be_found(world: World) -> None:
    life = await defer_referral(world)
    await life.skips_time(timedelta(minutes=1))

    assert (await attributes_of(life))["ReferralStage"] == "DEFERRED"


async def test_a_lost_referral_can_be_found(world: World) -> None:
    life, other = await invite(world), await invite(world)
    await life.signs_up()
    await claim_other_code(life, other)
    await life.ends()

    assert (await attributes_of(life))["ReferralStage"] == "LOST"
