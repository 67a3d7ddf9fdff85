"""A consumer of topics that an event loop can use: its calls run one after another in a thread."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from messaging.records import Record

MAX_BATCH_RECORDS: Final = 500
"""Bounds one batch, whose facts are stored in one statement."""
PROPERTIES: Final[Mapping[str, str]] = {
    # A topic that is made later is found as soon.
    "topic.metadata.refresh.interval.ms": "30000",
    # Records that wait in memory, for all partitions together.
    "queued.max.messages.kbytes": "16384",
    "fetch.wait.max.ms": "100",
}
"""Properties that a deployment may override."""

_Result = TypeVar("_Result")
log = structlog.get_logger()


class Partition(NamedTuple):
    topic: str
    number: int


class Subscription:
    """Membership of a consumer group; a partition is this member's until `on_revoked` names it.

    Nothing is committed unless `commit` says so. Callbacks run in the consumer's thread while the
    caller waits for `poll` or `close`, so that the two never run at once.
    """

    def __init__(
        self,
        properties: Mapping[str, str | bool],
        topics: Collection[str],
        *,
        on_revoked: Callable[[Collection[Partition]], None],
    ) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-consumer")
        self._on_revoked = on_revoked
        self.assigned: frozenset[Partition] = frozenset()
        self._consumer = Consumer(
            {**PROPERTIES, **properties, "logger": logging.getLogger("librdkafka")}
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
        )

    async def poll(self, *, timeout_s: float) -> list[Record]:
        """Return up to MAX_BATCH_RECORDS records, as soon as there is one."""
        return await self._call(self._poll, timeout_s)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commit the offset of the next record of each partition. Raises KafkaException."""
        await self._call(self._commit, offsets)

    async def pause(self, partitions: Collection[Partition]) -> None:
        await self._call(self._consumer.pause, _offsets(partitions))

    async def resume(self, partitions: Collection[Partition]) -> None:
        await self._call(self._consumer.resume, _offsets(partitions))

    async def close(self) -> None:
        """Leave the group, whose other members take over at once."""
        await self._call(self._consumer.close)
        self._thread.shutdown(wait=False)

    async def _call(self, function: Callable[..., _Result], *arguments: object) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *arguments)

    def _poll(self, timeout_s: float) -> list[Record]:
        # `consume` would wait for a full batch until its timeout: it only empties what is there.
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        rest = self._consumer.consume(MAX_BATCH_RECORDS - 1, timeout=0)
        return _records([first, *rest])

    def _commit(self, offsets: Mapping[Partition, int]) -> None:
        positions = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
        committed = self._consumer.commit(offsets=positions, asynchronous=False)
        for position in committed or ():
            if position.error is not None:
                raise KafkaException(position.error)

    def _assign(self, _: Consumer, positions: list[TopicPartition]) -> None:
        self.assigned |= _partitions(positions)
        log.info("partitions_assigned", count=len(positions), total=len(self.assigned))

    def _revoke(self, _: Consumer, positions: list[TopicPartition]) -> None:
        revoked = _partitions(positions)
        self.assigned -= revoked
        self._on_revoked(revoked)
        log.info("partitions_revoked", count=len(positions), total=len(self.assigned))


def _partitions(positions: Sequence[TopicPartition]) -> frozenset[Partition]:
    return frozenset(Partition(position.topic, position.partition) for position in positions)


def _offsets(partitions: Collection[Partition]) -> list[TopicPartition]:
    return [TopicPartition(*partition) for partition in partitions]


def _records(messages: Sequence[Message]) -> list[Record]:
    records = []
    for message in messages:
        fault = message.error()
        if fault is None:
            records.append(Record.of(message))
        else:
            _report(fault)
    return records


def _report(fault: KafkaError) -> None:
    """Log a fault that passes by itself; raise one after which the consumer is of no use."""
    if fault.fatal():
        raise KafkaException(fault)
    log.warning("kafka_error", error=fault.name())
