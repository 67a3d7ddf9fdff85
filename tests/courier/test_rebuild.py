"""Rebuild of an empty Temporal from Postgres."""

from datetime import timedelta
from typing import Any

import temporalio.client
from temporalio.client import (
    Client,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from courier.rebuild import TRIES, Rebuilt, rebuild
from courier.temporal_sender import TemporalTarget
from db.engine import Database
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from tests.builders import NOW, a_bound_referral, an_invitation, unique
from tests.courier.steps import START, received_signals, set_stage
from workflows.client import workflow_id


async def referral_at(database: Database, stage: Stage) -> ReferralRow:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    await set_stage(database, row, stage)
    return row


async def run_rebuild(database: Database, env: WorkflowEnvironment, *, days: int = 0) -> Rebuilt:
    address = TemporalTarget(env.client, unique("queue"))
    return await rebuild(database, address, now=NOW + timedelta(days=days))


async def test_starts_every_open_referral_which_looks_once(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    async with fresh_database.transaction() as session:
        invitation = await an_invitation(session)
    stages = [Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED, Stage.REWARDED, Stage.REVERSED]
    rows = [await referral_at(fresh_database, stage) for stage in stages]

    rebuilt = await run_rebuild(fresh_database, temporal_env)
    assert rebuilt.sentence() == "started 6 workflows, re-opened 0 referrals, failed at 0"

    for row in (invitation, *rows):
        assert await received_signals(temporal_env.client, row) == [START, "look"]


async def test_starts_only_those_that_are_named(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    named, other = [await referral_at(fresh_database, Stage.HELD) for _ in range(2)]
    target = TemporalTarget(temporal_env.client, unique("queue"))

    rebuilt = await rebuild(fresh_database, target, now=NOW, only=[named.id])
    assert rebuilt == Rebuilt(started=1, reopened=0, failed=0)

    assert await received_signals(temporal_env.client, named) == [START, "look"]
    assert await received_signals(temporal_env.client, other) == []


async def test_leaves_alone_what_has_ended(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    ended = [Stage.SETTLED, Stage.EXPIRED, Stage.REJECTED, Stage.UNFUNDED, Stage.VOIDED]
    rows = [await referral_at(fresh_database, stage) for stage in ended]
    closed = await referral_at(fresh_database, Stage.REVERSED)

    await run_rebuild(fresh_database, temporal_env, days=121)

    for row in (*rows, closed):
        assert await received_signals(temporal_env.client, row) == []


async def test_a_workflow_that_is_there_only_looks_once_more(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await referral_at(fresh_database, Stage.HELD)

    await run_rebuild(fresh_database, temporal_env)
    await run_rebuild(fresh_database, temporal_env)

    assert await received_signals(temporal_env.client, row) == [START, "look", "look"]


async def test_a_restart_terminates_the_run_and_starts_anew(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row, other = [await referral_at(fresh_database, Stage.HELD) for _ in range(2)]
    target = TemporalTarget(temporal_env.client, unique("queue"))
    await rebuild(fresh_database, target, now=NOW)
    old, untouched = [
        await temporal_env.client.get_workflow_handle(workflow_id(r.id)).describe()
        for r in (row, other)
    ]

    rebuilt = await rebuild(fresh_database, target, now=NOW, only=[row.id], restart=True)
    assert rebuilt == Rebuilt(started=1, reopened=0, failed=0)

    wedged = temporal_env.client.get_workflow_handle(old.id, run_id=old.run_id)
    assert (await wedged.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert await received_signals(temporal_env.client, row) == [START, "look"]
    now = await temporal_env.client.get_workflow_handle(workflow_id(other.id)).describe()
    assert now.run_id == untouched.run_id


class Slow(temporalio.client.Interceptor):
    """Gives the first calls that start a workflow no answer in time."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's own name
        return _Slow(next, self)


class _Slow(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, slow: Slow) -> None:  # noqa: A002 - as above
        super().__init__(next)
        self._slow = slow

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - as above
        if self._slow.calls:
            self._slow.calls -= 1
            raise RPCError("Timeout expired", RPCStatusCode.CANCELLED, b"")
        return await super().start_workflow(input)


async def test_tries_again_what_a_server_that_has_just_come_up_did_not_answer(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    row = await referral_at(fresh_database, Stage.HELD)
    client = temporal_env.client.config()
    client["interceptors"] = [*client["interceptors"], Slow(calls=TRIES - 1)]
    target = TemporalTarget(Client(**client), unique("queue"))

    rebuilt = await rebuild(fresh_database, target, now=NOW)
    assert rebuilt == Rebuilt(started=1, reopened=0, failed=0)
    assert await received_signals(temporal_env.client, row) == [START, "look"]
