"""A courier whose payload codec fails, is missing or is new, beside runs that it did not encode."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Self

import pytest
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.testing import WorkflowEnvironment

from courier.overdue import UNCOMPARED_PATIENCE_S, OverdueHealer
from courier.temporal_sender import TemporalTarget, start_referral
from db.engine import Database
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from referrals.lifecycle.stages import workflow_input_of
from tests.builders import unique
from tests.courier.steps import START, connecting_to, received_signals
from tests.courier.test_overdue import Clock, deliver, referral_until
from workflows.payloads import DATA_CONVERTER

SEALED = b"binary/sealed"


class Sealing(PayloadCodec, WithSerializationContext):
    """A codec that asks a service for the key of each workflow, and reads nothing in the clear."""

    def __init__(self, away: list[str] | None = None, *, of: str = "") -> None:
        self.away = [] if away is None else away
        """What the key service answers with, where it has a fault."""
        self._of = of.encode()

    def with_context(self, context: SerializationContext) -> Self:
        assert isinstance(context, WorkflowSerializationContext)
        return type(self)(self.away, of=context.workflow_id)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(metadata={"encoding": SEALED, "of": self._of}, data=each.SerializeToString())
            for each in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if self.away:
            raise ConnectionError(*self.away)
        if any(dict(each.metadata) != {"encoding": SEALED, "of": self._of} for each in payloads):
            raise ValueError("not sealed with the key of this workflow")
        return [Payload.FromString(each.data) for each in payloads]


class Scrambling(PayloadCodec):
    """A codec that leaves a payload's name of JSON where there is none any more."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata=each.metadata, data=each.data[::-1]) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self.encode(payloads)


def client_with(env: WorkflowEnvironment, codec: PayloadCodec | None) -> Client:
    config = env.client.config()
    config["data_converter"] = replace(DATA_CONVERTER, payload_codec=codec)
    return Client(**config)


def a_healer(
    database: Database, client: Client, *, task_queue: str, clock: Clock | None = None
) -> OverdueHealer:
    connect = connecting_to(client)
    return OverdueHealer(database, connect=connect, task_queue=task_queue, clock_s=clock or Clock())


async def a_referral(database: Database, *, due: str) -> ReferralRow:
    """Return a referral that is overdue, or one that did not change by what was delivered."""
    from_now = timedelta(minutes=-2) if due == "overdue" else timedelta(days=1)
    row = await referral_until(database, Stage.SIGNED_UP, from_now=from_now)
    if due == "unheard":
        await deliver(database, row, ago=timedelta(seconds=70))
    return row


async def run_id(client: Client, row: ReferralRow) -> str | None:
    return (await client.get_workflow_handle(f"referral:{row.id}").describe()).run_id


@pytest.mark.parametrize("due", ["overdue", "unheard"])
@pytest.mark.parametrize("fault", ["away", "missing", "missing and scrambling", "another codec"])
async def test_a_run_of_ours_that_cannot_be_decoded_is_left_alone(
    fresh_database: Database, temporal_env: WorkflowEnvironment, due: str, fault: str
) -> None:
    row = await a_referral(fresh_database, due=due)
    codec = Scrambling() if fault == "missing and scrambling" else Sealing()
    ours, queue = client_with(temporal_env, codec), unique("queue")
    await start_referral(TemporalTarget(ours, queue), workflow_input_of(row))
    began = await run_id(ours, row)
    looks_with = {"away": Sealing(["no answer"]), "another codec": Scrambling()}.get(fault)

    healer = a_healer(fresh_database, client_with(temporal_env, looks_with), task_queue=queue)
    with capture_logs() as logged:
        await healer.heal()

    assert await run_id(ours, row) == began
    assert await received_signals(ours, row) == [START]
    assert [(line["event"], line["referral_id"]) for line in logged] == [
        ("run_not_compared", str(row.id))
    ]
    assert logged[0]["log_level"] == "error"


@pytest.mark.parametrize("due", ["overdue", "unheard"])
async def test_a_run_that_could_not_be_decoded_is_looked_at_again_in_a_minute(
    fresh_database: Database, temporal_env: WorkflowEnvironment, due: str
) -> None:
    row = await a_referral(fresh_database, due=due)
    sealing, queue = Sealing(), unique("queue")
    client, clock = client_with(temporal_env, sealing), Clock()
    await client.start_workflow(
        "ReferralWorkflow", {"a": 1}, id=f"referral:{row.id}", task_queue=queue
    )
    healer = a_healer(fresh_database, client, task_queue=queue, clock=clock)
    sealing.away.append("no answer")

    events = []
    for passed_s in (0.0, UNCOMPARED_PATIENCE_S / 2, UNCOMPARED_PATIENCE_S / 2):
        clock.now_s += passed_s
        with capture_logs() as logged:
            await healer.heal()
        events.append([line["event"] for line in logged])
        if len(events) == 2:
            sealing.away.clear()

    assert events[:2] == [["run_not_compared"], []]
    assert events[2][0] == "foreign_workflow_replaced"
    assert await received_signals(client, row) == [START, "look"]


async def test_a_run_that_cannot_be_compared_holds_up_no_other(
    fresh_database: Database, temporal_env: WorkflowEnvironment
) -> None:
    sealed = await a_referral(fresh_database, due="overdue")
    unheard = await a_referral(fresh_database, due="unheard")
    queue = unique("queue")
    ours = TemporalTarget(client_with(temporal_env, Sealing()), queue)
    await start_referral(ours, workflow_input_of(sealed))

    await a_healer(fresh_database, temporal_env.client, task_queue=queue).heal()

    assert await received_signals(temporal_env.client, sealed) == [START]
    assert await received_signals(temporal_env.client, unheard) == [START, "look"]


@pytest.mark.parametrize("is_away", [False, True])
async def test_a_run_from_before_the_codec_was_set_is_ours(
    fresh_database: Database, temporal_env: WorkflowEnvironment, *, is_away: bool
) -> None:
    rows = [await a_referral(fresh_database, due=due) for due in ("overdue", "unheard")]
    queue = unique("queue")
    for row in rows:
        await start_referral(TemporalTarget(temporal_env.client, queue), workflow_input_of(row))
    sealing = client_with(temporal_env, Sealing(["no answer"] if is_away else None))

    with capture_logs() as logged:
        await a_healer(fresh_database, sealing, task_queue=queue).heal()

    assert [line["event"] for line in logged] == ["overdue_referral_woken"]
    signals = [await received_signals(temporal_env.client, row) for row in rows]
    assert signals == [[START, "look"], [START]]


@pytest.mark.parametrize("told", [(), (None,), ({"a": 1},), (b"bytes",), (1, 2)])
async def test_a_run_without_a_readable_referral_is_replaced_where_the_codec_decodes_it(
    fresh_database: Database, temporal_env: WorkflowEnvironment, told: tuple[object, ...]
) -> None:
    row = await a_referral(fresh_database, due="unheard")
    client, queue = client_with(temporal_env, Sealing()), unique("queue")
    await client.start_workflow(
        "ReferralWorkflow", args=told, id=f"referral:{row.id}", task_queue=queue
    )
    with capture_logs() as logged:
        await a_healer(fresh_database, client, task_queue=queue).heal()

    assert [line["event"] for line in logged] == ["foreign_workflow_replaced"]
    assert await received_signals(client, row) == [START, "look"]
