"""Referrals whose workflow was lost: counted, and woken by the courier."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from courier.overdue import INTERVAL_S, PATIENCE_S, OverdueHealer
from courier.temporal_sender import TemporalTarget, start_referral
from db.engine import Database
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from referrals.lifecycle.stages import workflow_input_of
from tests.builders import a_bound_referral, unique
from tests.courier.steps import START, received_signals, set_stage
from tests.journeys.signals.hostile_clients import forged


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def referral_until(database: Database, stage: Stage, *, from_now: timedelta) -> ReferralRow:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    await set_stage(database, row, stage)
    async with database.transaction() as session:
        await session.execute(
            text("update referrals set until = now() + :from_now where id = :id"),
            {"id": row.id, "from_now": from_now},
        )
    return row


def a_healer(
    database: Database,
    env: WorkflowEnvironment,
    *,
    registry: CollectorRegistry | None = None,
    clock: Clock | None = None,
    task_queue: str | None = None,
) -> OverdueHealer:
    async def connect() -> Client:
        return env.client

    return OverdueHealer(
        database,
        connect=connect,
        task_queue=task_queue or unique("queue"),
        registry=registry,
        clock_s=clock or Clock(),
    )


async def test_wakes_and_counts_what_is_overdue_and_nothing_else(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    overdue = [
        await referral_until(fresh_database, stage, from_now=-timedelta(minutes=2))
        for stage in (Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED)
    ]
    others = [
        await referral_until(fresh_database, Stage.HELD, from_now=-timedelta(seconds=5)),
        await referral_until(fresh_database, Stage.HELD, from_now=timedelta(days=1)),
        await referral_until(fresh_database, Stage.EXPIRED, from_now=-timedelta(days=1)),
    ]
    registry = CollectorRegistry()

    await a_healer(fresh_database, temporal_env, registry=registry).heal()

    for row in overdue:
        assert await received_signals(temporal_env.client, row) == [START, "look"]
    for row in others:
        assert await received_signals(temporal_env.client, row) == []
    assert registry.get_sample_value("referrals_overdue") == len(overdue)


async def test_a_terminated_workflow_is_started_again(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await referral_until(fresh_database, Stage.HELD, from_now=-timedelta(minutes=2))
    await a_healer(fresh_database, temporal_env).heal()
    await temporal_env.client.get_workflow_handle(f"referral:{row.id}").terminate()

    await a_healer(fresh_database, temporal_env).heal()

    assert await received_signals(temporal_env.client, row) == [START, "look"]


async def test_wakes_again_only_after_a_while(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await referral_until(fresh_database, Stage.HELD, from_now=-timedelta(minutes=2))
    clock = Clock()
    healer = a_healer(fresh_database, temporal_env, clock=clock)
    for passed_s in (0.0, INTERVAL_S, PATIENCE_S):
        clock.now_s += passed_s
        await healer.heal()

    assert await received_signals(temporal_env.client, row) == [START, "look", "look"]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("Squatter", None),
        ("ReferralWorkflow", {"a": 1}),
        ("ReferralWorkflow", forged("referral:7c9e6679-7425-40de-944b-e07fc1f90ae7")),
    ],
    ids=["another type", "nothing readable", "another referral"],
)
async def test_a_run_that_somebody_began_in_a_workflows_place_is_replaced(
    fresh_database: Database, temporal_env: WorkflowEnvironment, kind: str, told: object
) -> None:
    row = await referral_until(fresh_database, Stage.SIGNED_UP, from_now=timedelta(days=1))
    healer = a_healer(fresh_database, temporal_env)
    await temporal_env.client.start_workflow(
        kind, told, id=f"referral:{row.id}", task_queue=healer.task_queue
    )
    await deliver(fresh_database, row, ago=timedelta(seconds=30))
    await healer.heal()
    assert await received_signals(temporal_env.client, row) == [START]

    await deliver(fresh_database, row, ago=timedelta(seconds=70))
    await a_healer(fresh_database, temporal_env, task_queue=healer.task_queue).heal()
    assert await received_signals(temporal_env.client, row) == [START, "look"]
    began = await temporal_env.client.get_workflow_handle(f"referral:{row.id}").describe()
    assert (began.workflow_type, began.task_queue) == ("ReferralWorkflow", healer.task_queue)


async def test_a_run_of_ours_is_left_alone_where_a_delivery_changed_nothing(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await referral_until(fresh_database, Stage.SIGNED_UP, from_now=timedelta(days=1))
    healer = a_healer(fresh_database, temporal_env)
    target = TemporalTarget(temporal_env.client, healer.task_queue)
    await start_referral(target, workflow_input_of(row))
    await deliver(fresh_database, row, ago=timedelta(seconds=70))

    await healer.heal()

    assert await received_signals(temporal_env.client, row) == [START]


@pytest.mark.parametrize("stage", [Stage.SIGNED_UP, Stage.SETTLED, Stage.REVERSED])
async def test_a_run_that_was_ended_just_after_a_delivery_is_started_again(
    fresh_database: Database, temporal_env: WorkflowEnvironment, stage: Stage
) -> None:
    row = await referral_until(fresh_database, stage, from_now=timedelta(days=1))
    healer = a_healer(fresh_database, temporal_env)
    await start_referral(
        TemporalTarget(temporal_env.client, healer.task_queue), workflow_input_of(row)
    )
    await deliver(fresh_database, row, ago=timedelta(seconds=70))
    await temporal_env.client.get_workflow_handle(f"referral:{row.id}").terminate()

    await healer.heal()

    assert await received_signals(temporal_env.client, row) == [START, "look"]


async def deliver(database: Database, row: ReferralRow, *, ago: timedelta) -> None:
    """Record a delivery of a deposit that Temporal took a while ago."""
    async with database.transaction() as session:
        await session.execute(
            text(
                "insert into deliveries (referral_id, kind, event_id, signal, attempts,"
                " acknowledged_at) values (:id, 'deposit', :event_id, 'look', 1,"
                " now() - cast(:ago as interval))"
            ),
            {"id": row.id, "event_id": unique("e"), "ago": ago},
        )
