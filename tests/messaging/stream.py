"""Topics of a test's own, what is sent to them, and a consumer that reads them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from db.engine import Database
from domain.privacy import Hasher
from messaging import topics
from messaging.dead_letters.producer import DeadLetterSender
from messaging.inbound.consumer import InboundConsumer, OnRefused
from messaging.inbound.decoding import SCHEMAS, Decoder
from messaging.inbound.lag import OffsetReader
from messaging.kafka import KafkaCluster
from messaging.records import Record
from sandbox.sportsbook.polling import wait_until

HASHER: Final = Hasher("a key for tests, not a secret", public_url="https://refer.example")
PARTITIONS: Final = 4
"""Partitions of each topic; the mock cluster makes as many."""
ALL_PARTITIONS: Final = PARTITIONS * len(topics.INBOUND)
REBALANCED_S: Final = 90.0
CAUGHT_UP_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Stream:
    """The topics of one test, each the like of one in production."""

    cluster: KafkaCluster
    prefix: str = field(default_factory=lambda: f"test-{uuid4().hex[:8]}")
    group: str = field(default_factory=lambda: f"group-{uuid4().hex[:8]}")
    session_ms: int = 6000
    """The least that brokers take; the mock cluster waits about as long in each rebalance."""
    large_bytes: int = 10_000_000
    """Size of a large record; the mock cluster cannot read one of 10 MB."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """More properties of consumers."""

    def topic(self, like: str = topics.DEPOSITS) -> str:
        return f"{self.prefix}.{like}"

    @property
    def decoder(self) -> Decoder:
        schemas = {self.topic(like): schema for like, schema in SCHEMAS.items()}
        return Decoder(HASHER, schemas=schemas)

    def impatient_cluster(self) -> KafkaCluster:
        """Return the cluster with a short session, for consumers."""
        short = {"session.timeout.ms": str(self.session_ms), "heartbeat.interval.ms": "300"}
        return replace(self.cluster, properties=short | dict(self.properties))

    async def lag(self, group: str | None = None) -> int:
        """Return the records that the group has not committed yet, in all topics."""
        reader = OffsetReader(self.cluster, group or self.group)
        return sum((await reader.lag(list(self.decoder.schemas))).values())

    async def wait_until_caught_up(self, group: str | None = None) -> None:
        async def ask() -> int | None:
            try:
                return await self.lag(group)
            except KafkaException:
                return None  # A broker that was just started may not know its groups yet.

        await wait_until(
            ask,
            lambda lag: lag == 0,
            what="no lag",
            within_s=CAUGHT_UP_S,
        )

    def read(self, topic: str) -> list[Record]:
        """Return every record of a topic."""
        return read_all(self.cluster, topic)

    def dead_letters(self, like: str = topics.DEPOSITS) -> list[Record]:
        return self.read(topics.dead_letters_of(self.topic(like)))


async def open_stream(cluster: KafkaCluster) -> Stream:
    """Create the topics of a test, and those of their dead letters."""
    is_mock = await asyncio.to_thread(_is_mock, cluster)
    stream = Stream(cluster)
    if is_mock:
        stream = replace(stream, session_ms=2000, large_bytes=1_500_000)
    names = [stream.topic(like) for like in topics.INBOUND]
    await create_topics(cluster, [*names, *map(topics.dead_letters_of, names)])
    return stream


async def create_topics(cluster: KafkaCluster, names: Sequence[str]) -> None:
    """Create topics: on request, or as the mock cluster does, for whoever asks for them."""
    if await asyncio.to_thread(_is_mock, cluster):
        await _make_the_mock_cluster_create(cluster, names)
        return
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    settings = {"max.message.bytes": "20000000"}
    wanted = [NewTopic(name, num_partitions=PARTITIONS, config=settings) for name in names]
    for created in admin.create_topics(wanted, request_timeout=60).values():
        await asyncio.wrap_future(created)
    reader = OffsetReader(cluster, uuid4().hex)

    async def answer() -> bool:
        """Return whether every partition answers: a broker may not lead yet what was just made."""
        try:
            for name in names:
                await reader.ends(name)
        except KafkaException:
            return False
        return True

    await wait_until(answer, lambda answered: answered, what="leaders", within_s=60)


def _is_mock(cluster: KafkaCluster) -> bool:
    metadata = AdminClient({"bootstrap.servers": cluster.bootstrap_servers}).list_topics(timeout=30)
    return metadata.controller_id not in metadata.brokers


async def _make_the_mock_cluster_create(cluster: KafkaCluster, names: Sequence[str]) -> None:
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers})

    async def unknown() -> list[str]:
        asked = [(name, producer.list_topics(name, timeout=30).topics[name]) for name in names]
        return [name for name, topic in asked if topic.error is not None]

    await wait_until(unknown, lambda unknown: not unknown, what="topics", within_s=20)


@dataclass(slots=True)
class Sender:
    """Sends records as a service would."""

    stream: Stream
    properties: Mapping[str, str] = field(default_factory=dict)
    _producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        self._producer = Producer(
            {**self.stream.cluster.producer_properties(), **dict(self.properties)}
        )

    def send(
        self,
        body: Mapping[str, Any] | bytes | None,
        *,
        like: str = topics.DEPOSITS,
        key: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(body, Mapping):
            key = body["player_id"] if key is None else key
            body = json.dumps(body).encode()
        self._producer.produce(
            self.stream.topic(like), value=body, key=key, headers=dict(headers or {})
        )
        self._producer.poll(0)

    async def flush(self) -> None:
        assert await asyncio.to_thread(self._producer.flush, 60) == 0


@asynccontextmanager
async def consuming(
    database: Database,
    stream: Stream,
    *,
    group: str | None = None,
    letters: DeadLetterSender | None = None,
    on_refused: OnRefused = lambda _: None,
) -> AsyncIterator[InboundConsumer]:
    """Run a consumer during a block, and stop it after that."""
    consumer = InboundConsumer(
        database,
        stream.impatient_cluster(),
        group=group or stream.group,
        decoder=stream.decoder,
        letters=letters,
        on_refused=on_refused,
    )
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        consumer.stop()
        await running


async def wait_until_assigned(consumer: InboundConsumer, count: int) -> None:
    async def assigned() -> int:
        return len(consumer.partitions)

    await wait_until(
        assigned, lambda seen: seen == count, what=f"{count} partitions", within_s=REBALANCED_S
    )


async def wait_until_shared(*consumers: InboundConsumer) -> None:
    """Wait until each consumer has some of the partitions, and together they have all."""

    async def assigned() -> list[int]:
        return [len(consumer.partitions) for consumer in consumers]

    await wait_until(
        assigned,
        lambda seen: all(seen) and sum(seen) == ALL_PARTITIONS,
        what="partitions for each consumer",
        within_s=REBALANCED_S,
    )


def read_all(cluster: KafkaCluster, topic: str) -> list[Record]:
    """Return every record of a topic that was there before this call."""
    consumer = Consumer(
        {**cluster.consumer_properties(group=uuid4().hex), "enable.partition.eof": True}
    )
    consumer.subscribe([topic])
    records: list[Record] = []
    ended: set[int | None] = set()
    while len(ended) < PARTITIONS:
        message = consumer.poll(20)
        assert message is not None
        if is_end(message):
            ended.add(message.partition())
        else:
            records.append(Record.of(message))
    consumer.close()
    return sorted(records, key=lambda record: (record.place.partition, record.place.offset))


def is_end(message: Message) -> bool:
    fault = message.error()
    if fault is None:
        return False
    assert fault.code() == KafkaError._PARTITION_EOF, fault  # noqa: SLF001 - so are its codes named
    return True
