"""The relay: publishes the outbox to Kafka, in order, from one process at a time.

Its records are those that Debezium's EventRouter makes of the same rows, byte for byte.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import structlog
from confluent_kafka import KafkaError, Message, Producer

from db.engine import Database
from db.outbox_lag import RELAY
from db.outbox_reader import LEASE_S, LeaseLostError, OutboxEvent, OutboxReader
from messaging.kafka import KafkaCluster
from messaging.topics import TOPIC_BY_AGGREGATE

BATCH_EVENTS: Final = 500
DELIVERY_TIMEOUT_S: Final = 10.0
"""Time limit for a broker's acknowledgement, with the client's own repeats."""
_RENEWAL_S: Final = LEASE_S / 4

log = structlog.get_logger()


class PublishingError(Exception):
    """Kafka did not acknowledge every event; those behind the last contiguous one are repeated."""


class UnknownAggregateError(Exception):
    """A newer release writes events that this one has no topic for, and must publish them."""


class Relay:
    """Publishes what follows its stored cursor, which moves behind what brokers acknowledged.

    Delivery is at least once: after a crash or an outage events come again, under the same ids
    and never before one that they follow.
    """

    def __init__(
        self,
        database: Database,
        cluster: KafkaCluster,
        *,
        delivery_timeout_s: float = DELIVERY_TIMEOUT_S,
        lease_s: float = LEASE_S,
    ) -> None:
        self._database = database
        self._reader = OutboxReader(database, RELAY, lease_s=lease_s)
        self._properties = {
            **cluster.producer_properties(),
            # Nothing behind a failed event is published before that event is.
            "enable.gapless.guarantee": True,
            "message.timeout.ms": round(delivery_timeout_s * 1000),
        }
        self._producer: Producer | None = None

    async def publish(self) -> bool:
        """Publish a batch and return whether another may be waiting.

        Returns False while another process is the publisher. Raises PublishingError when Kafka
        is away, UnknownAggregateError, and DATABASE_FAULTS.
        """
        cursor = await self._reader.claim()
        if cursor is None:
            return False
        events = await self._reader.read_after(cursor, limit=BATCH_EVENTS)
        if not events:
            return False
        try:
            await self._publish(events)
        except LeaseLostError:
            log.warning("relay_lease_lost")
            return False
        except UnknownAggregateError:
            await self._reader.release()
            raise
        return len(events) == BATCH_EVENTS

    async def close(self) -> None:
        """Let another process take over at once; the batch in progress has ended."""
        await self._drop_producer()
        await self._reader.release()

    async def _publish(self, events: Sequence[OutboxEvent]) -> None:
        batch = _Batch(events)
        try:
            await self._send(batch)
        finally:
            if batch.acknowledged < len(events):
                await self._drop_producer()
        if batch.acknowledged:
            last = events[batch.acknowledged - 1]
            async with self._database.transaction() as session:
                await self._reader.advance(session, last.position)
        if batch.acknowledged < len(events):
            raise PublishingError(batch.fault)

    async def _send(self, batch: "_Batch") -> None:
        producer = self._producer = self._producer or Producer(
            {**self._properties, "logger": logging.getLogger("librdkafka")}
        )
        batch.produce(producer)
        while await asyncio.to_thread(producer.flush, _RENEWAL_S):
            if await self._reader.claim() is None:
                raise LeaseLostError(RELAY)

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            await asyncio.to_thread(producer.flush, _RENEWAL_S)


class _Batch:
    """Events in flight, and how many from the first on are acknowledged."""

    def __init__(self, events: Sequence[OutboxEvent]) -> None:
        self._events = [(_topic_of(event), event) for event in events]
        self._is_acknowledged = [False] * len(events)
        self.fault: KafkaError | None = None

    @property
    def acknowledged(self) -> int:
        flags = self._is_acknowledged
        return flags.index(False) if False in flags else len(flags)

    def produce(self, producer: Producer) -> None:
        for index, (topic, event) in enumerate(self._events):

            def on_delivery(fault: KafkaError | None, _: Message, *, index: int = index) -> None:
                self._is_acknowledged[index] = fault is None
                self.fault = self.fault or fault

            producer.produce(
                topic,
                key=event.key.encode(),
                value=event.value.encode(),
                headers=headers_of(event),
                on_delivery=on_delivery,
            )


def headers_of(event: OutboxEvent) -> list[tuple[str, str | bytes | None]]:
    """Return a record's headers, in the order of deploy/connect/outbox.json."""
    return [
        ("id", str(event.id).encode()),
        ("type", event.type.encode()),
        ("schema_version", str(event.schema_version).encode()),
    ]


def _topic_of(event: OutboxEvent) -> str:
    topic = TOPIC_BY_AGGREGATE.get(event.aggregatetype)
    if topic is None:
        raise UnknownAggregateError(f"no topic for events of {event.aggregatetype!r}")
    return topic
