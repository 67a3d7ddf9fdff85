"""Records of a topic as tests read them: from where the topic ended when the test began."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self, cast
from uuid import uuid4

from confluent_kafka import Consumer, Message, TopicPartition

from messaging.kafka import KafkaCluster

READ_WITHIN_S: Final = 90.0
_CALL_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int

    @classmethod
    def of(cls, message: Message) -> Self:
        headers = cast("list[tuple[str, bytes]]", message.headers() or [])
        return cls(
            topic=message.topic() or "",
            key=_bytes(message.key()),
            value=_bytes(message.value()),
            headers=tuple(headers),
            partition=message.partition() or 0,
        )

    @property
    def event_id(self) -> str:
        return dict(self.headers)["id"].decode()


class TopicReader:
    """Reads what is written to some topics from now on."""

    def __init__(self, cluster: KafkaCluster, *topics: str, from_beginning: bool = False) -> None:
        self._consumer = Consumer(cluster.consumer_properties(group=f"test-{uuid4()}"))
        self.records: list[Record] = []
        self._consumer.assign(
            [
                TopicPartition(topic, partition, self._offset(topic, partition, from_beginning))
                for topic in topics
                for partition in self._consumer.list_topics(topic, timeout=_CALL_TIMEOUT_S)
                .topics[topic]
                .partitions
            ]
        )

    async def read_until(self, is_enough: Callable[[Sequence[Record]], bool]) -> Sequence[Record]:
        """Read until there is enough; AssertionError when that takes too long."""
        deadline = time.monotonic() + READ_WITHIN_S
        while not is_enough(self.records):
            assert time.monotonic() < deadline, f"only {len(self.records)} records"
            for message in await asyncio.to_thread(self._consumer.consume, 1000, 0.2):
                assert message.error() is None, message.error()
                self.records.append(Record.of(message))
        return self.records

    async def read(self, count: int) -> Sequence[Record]:
        return await self.read_until(lambda records: len(records) >= count)

    def close(self) -> None:
        self._consumer.close()

    def _offset(self, topic: str, partition: int, from_beginning: bool) -> int:  # noqa: FBT001
        place = TopicPartition(topic, partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=_CALL_TIMEOUT_S)
        return low if from_beginning else high


def _bytes(given: object) -> bytes:
    return given.encode() if isinstance(given, str) else bytes(given)  # type: ignore[call-overload]
