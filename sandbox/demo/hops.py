"""The hops of one deposit, at the times that each system recorded itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from confluent_kafka import Message
from rich.table import Table
from temporalio.api.history.v1 import WorkflowExecutionSignaledEventAttributes
from temporalio.client import Client

from domain.lifecycle.signals import Signal
from messaging.topics import DEPOSITS
from sandbox.sportsbook.services.connections import Pool
from sandbox.sportsbook.services.connections import connect as connect_to_postgres
from sandbox.sportsbook.topic_reader import find_message, timestamp_of
from stack import Connection
from stack.temporal import NAMESPACE
from workflows.client import connect, workflow_id

_COMMITTED: Final = "SELECT created_at FROM outbox WHERE id = $1"
_RECORDED: Final = """
    SELECT fact.heard_at, delivery.created_at, release.recorded_at
    FROM facts AS fact
    JOIN deliveries AS delivery ON delivery.kind = 'deposit' AND delivery.event_id = fact.event_id
    JOIN transfers AS release
        ON release.referral_id = delivery.referral_id AND release.movement = 'release'
    WHERE fact.kind = 'deposit' AND fact.event_id = $1
"""


@dataclass(frozen=True, slots=True)
class Hop:
    what: str
    recorded_by: str
    at: datetime


async def hops_of(
    connection: Connection, *, event_id: str, payments: Pool, granted: Message, referral_id: str
) -> list[Hop]:
    """Return the hops of a deposit whose RewardGranted was read just now."""
    read_at = datetime.now(UTC)
    async with connect_to_postgres(connection.postgres_dsn) as referrals:
        recorded = await referrals.fetchrow(_RECORDED, event_id)
    if recorded is None:
        raise LookupError(f"no transfer rests on the deposit {event_id}")
    published = await asyncio.to_thread(
        find_message,
        connection.kafka_bootstrap_servers or "",
        DEPOSITS,
        lambda message: event_id.encode() in (message.value() or b""),
    )
    temporal = await connect(connection.temporal_address, namespace=NAMESPACE)
    committed_at = await payments.fetchval(_COMMITTED, UUID(event_id))
    heard_at, routed_at, credited_at = recorded
    return [
        Hop("committed with its event", "payments service", committed_at),
        Hop(f"published in {DEPOSITS}", "Kafka", timestamp_of(published)),
        Hop("consumed and recorded as a fact", "facts", heard_at),
        Hop("routed to its referral", "deliveries", routed_at),
        Hop("signalled to its workflow", "Temporal", await _signalled_at(temporal, referral_id)),
        Hop("credited, with RewardGranted in the outbox", "ledger", credited_at),
        Hop(f"published in {granted.topic()}", "Kafka", timestamp_of(granted)),
        Hop("read from there", "consumer", read_at),
    ]


def hops_table(hops: Sequence[Hop]) -> Table:
    table = Table("the deposit was", "recorded by", "at")
    table.add_column("ms later", justify="right")
    for earlier, hop in zip([hops[0], *hops], hops, strict=False):
        later_ms = (hop.at - earlier.at).total_seconds() * 1000
        table.add_row(hop.what, hop.recorded_by, f"{hop.at:%H:%M:%S.%f}"[:-3], f"{later_ms:.0f}")
    whole_ms = (hops[-1].at - hops[0].at).total_seconds() * 1000
    table.add_row("", "", "the whole way", f"{whole_ms:.0f}", end_section=True)
    return table


def _tells_of_deposit(signal: WorkflowExecutionSignaledEventAttributes) -> bool:
    told = b"".join(payload.data for payload in signal.input.payloads)
    return signal.signal_name == Signal.LOOK and b'"deposit"' in told


async def _signalled_at(temporal: Client, referral_id: str) -> datetime:
    """Return when Temporal wrote the deposit's signal; the run that got it continued as new."""
    workflow, run_id = workflow_id(UUID(referral_id)), None
    while run_id != "":
        history = await temporal.get_workflow_handle(workflow, run_id=run_id).fetch_history()
        for event in history.events:
            if _tells_of_deposit(event.workflow_execution_signaled_event_attributes):
                return event.event_time.ToDatetime(tzinfo=UTC)
        start = history.events[0].workflow_execution_started_event_attributes
        run_id = start.continued_execution_run_id
    raise LookupError(f"{workflow} has received no deposit")
