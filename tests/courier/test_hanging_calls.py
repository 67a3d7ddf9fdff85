"""Calls to Temporal that hang: what is due beside them is carried."""

import asyncio
from collections.abc import Collection
from typing import Any
from uuid import UUID

import temporalio.client
from temporalio.client import Client, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from courier.carrier import Carrier
from db.engine import Database
from tests.builders import unique
from tests.courier.steps import START, invite_by_click, pending_signals, received_signals
from workflows.client import workflow_id


class Hanging(temporalio.client.Interceptor):
    """Lets the starts of some workflows hang until `may_go_on` is set."""

    def __init__(self, referral_ids: Collection[UUID]) -> None:
        self.workflow_ids = {workflow_id(referral_id) for referral_id in referral_ids}
        self.may_go_on = asyncio.Event()

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's own name
        return _Hanging(next, self)


class _Hanging(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, hanging: Hanging) -> None:  # noqa: A002 - as above
        super().__init__(next)
        self._hanging = hanging

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - as above
        if input.id in self._hanging.workflow_ids:
            await self._hanging.may_go_on.wait()
        return await super().start_workflow(input)


async def test_what_is_due_beside_a_call_that_hangs_is_carried(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    stuck = [await invite_by_click(fresh_database) for _ in range(3)]
    hanging = Hanging([row.id for row in stuck])
    client = temporal_env.client.config()
    client["interceptors"] = [*client["interceptors"], hanging]

    async def connect() -> Client:
        return Client(**client)

    carrier = Carrier(fresh_database, connect=connect, task_queue=unique("queue"), patience_s=0.1)
    await carrier.carry()
    healthy = await invite_by_click(fresh_database)
    while await pending_signals(fresh_database, healthy):
        await carrier.carry()

    assert await received_signals(temporal_env.client, healthy) == [START]
    assert [await received_signals(temporal_env.client, row) for row in stuck] == [[], [], []]

    hanging.may_go_on.set()
    await carrier.finish()

    assert [await pending_signals(fresh_database, row) for row in stuck] == [[], [], []]
    assert [await received_signals(temporal_env.client, row) for row in stuck] == [[START]] * 3
