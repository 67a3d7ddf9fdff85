"""Reading of Kafka topics as other services of the sportsbook would: events out, lag, dead letters.

The functions block; asyncio programs call them in a thread.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from sandbox.sportsbook.polling import WAIT_TIMEOUT_S, WaitTimeoutError

REQUEST_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.5


def find_message(
    bootstrap_servers: str,
    topic: str,
    matches: Callable[[Message], bool],
    *,
    within_s: float = WAIT_TIMEOUT_S,
) -> Message:
    """Read a topic from its beginning until a message matches, which is returned."""
    deadline_s = time.monotonic() + within_s
    with _consumer(bootstrap_servers, group=f"reader-{uuid4().hex}") as consumer:
        partitions = _partitions(consumer, topic)
        for partition in partitions:
            partition.offset = OFFSET_BEGINNING
        consumer.assign(partitions)
        while time.monotonic() < deadline_s:
            message = consumer.poll(_POLL_S)
            if message is not None and message.error() is None and matches(message):
                return message
    raise WaitTimeoutError(f"not within {within_s:g} s: a message of {topic}")


def read_since(bootstrap_servers: str, topics: Sequence[str], *, since: datetime) -> list[Message]:
    """Return the messages of topics that are not older than a time, each partition in order."""
    with _consumer(bootstrap_servers, group=f"reader-{uuid4().hex}") as consumer:
        partitions = [partition for topic in topics for partition in _partitions(consumer, topic)]
        missing = 0
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(partition, timeout=REQUEST_TIMEOUT_S)
            partition.offset, missing = low, missing + high - low
        consumer.assign(partitions)
        messages = []
        while missing:
            message = consumer.poll(REQUEST_TIMEOUT_S)
            if message is None:
                raise WaitTimeoutError(f"{missing} messages were not read")
            messages.append(message)
            missing -= 1
    return [message for message in messages if timestamp_of(message) >= since]


def count_messages(bootstrap_servers: str, topics: Sequence[str]) -> int:
    """Count the messages that topics have ever had, expired ones included."""
    with _consumer(bootstrap_servers, group=f"reader-{uuid4().hex}") as consumer:
        return sum(
            consumer.get_watermark_offsets(partition, timeout=REQUEST_TIMEOUT_S)[1]
            for topic in topics
            for partition in _partitions(consumer, topic)
        )


def count_lag(bootstrap_servers: str, topics: Sequence[str], *, group: str) -> int:
    """Count the messages of topics that the group has not committed."""
    with _consumer(bootstrap_servers, group=group) as consumer:
        partitions = [partition for topic in topics for partition in _partitions(consumer, topic)]
        committed = consumer.committed(partitions, timeout=REQUEST_TIMEOUT_S)
        ends = [
            consumer.get_watermark_offsets(partition, timeout=REQUEST_TIMEOUT_S)[1]
            for partition in partitions
        ]
        # A group that has committed nothing yet has a negative offset.
        return sum(
            end - max(0, partition.offset) for end, partition in zip(ends, committed, strict=True)
        )


def timestamp_of(message: Message) -> datetime:
    """Return the time that the producer, or the broker, has given the message."""
    _, milliseconds = message.timestamp()
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def header_of(message: Message, name: str) -> str | None:
    value = dict(message.headers() or []).get(name)
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def _consumer(bootstrap_servers: str, *, group: str) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str) -> list[TopicPartition]:
    metadata = consumer.list_topics(topic, timeout=REQUEST_TIMEOUT_S).topics[topic]
    return [TopicPartition(topic, number) for number in sorted(metadata.partitions)]
