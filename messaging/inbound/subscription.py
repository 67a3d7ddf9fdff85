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
    # After which the partitions of a process that was killed go to others.
    "session.timeout.ms": "10000",
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
        self._paused: set[Partition] = set()
        self._sent: dict[Partition, int] = {}
        self._consumer = Consumer(
            {
                **PROPERTIES,
                **properties,
                "on_commit": self._note_commit,
                "logger": logging.getLogger("librdkafka"),
            }
        )
        self._consumer.subscribe(
            list(topics), on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke
        )

    async def poll(self, timeout_s: float) -> list[Record]:
        """Return up to MAX_BATCH_RECORDS records, as soon as there is one."""
        return await self._call(self._poll, timeout_s)

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Send the offset of the next record of each partition, unless it was sent before.

        It does not wait for the answer, which may take as long as a rebalance; an offset that the
        brokers refuse is sent again by the next call that has it.
        """
        unsent = {
            partition: offset
            for partition, offset in offsets.items()
            if partition in self.assigned and self._sent.get(partition) != offset
        }
        if unsent:
            await self._call(self._commit, unsent)

    async def pause(self, partitions: Collection[Partition]) -> None:
        """Return no more records of partitions until they are resumed."""
        wanted = [partition for partition in partitions if partition not in self._paused]
        self._paused.update(wanted)
        await self._call(self._consumer.pause, _offsets(wanted))

    async def resume(self, partitions: Collection[Partition]) -> None:
        await self._call(self._resume, partitions)

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
        self._consumer.commit(offsets=positions, asynchronous=True)
        self._sent.update(offsets)

    def _note_commit(self, fault: KafkaError | None, positions: list[TopicPartition]) -> None:
        failed = [each for each in positions if fault is not None or each.error is not None]
        for position in failed:
            partition = Partition(position.topic, position.partition)
            if self._sent.get(partition) == position.offset:
                del self._sent[partition]
        if failed:
            reason = fault or failed[0].error
            log.warning("kafka_commit_failed", error=reason.name() if reason else None)

    def _resume(self, partitions: Collection[Partition]) -> None:
        # One that is resumed without being paused may be read again from an old position.
        paused = self._paused.intersection(partitions)
        self._paused -= paused
        self._consumer.resume(_offsets(paused))

    def _assign(self, _: Consumer, positions: list[TopicPartition]) -> None:
        self.assigned |= _partitions(positions)
        log.info("partitions_assigned", count=len(positions), total=len(self.assigned))

    def _revoke(self, _: Consumer, positions: list[TopicPartition]) -> None:
        revoked = _partitions(positions)
        # It would stay paused, and where it was, when it came back.
        self._resume(revoked)
        self.assigned -= revoked
        for partition in revoked:
            self._sent.pop(partition, None)
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
