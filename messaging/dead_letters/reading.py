"""Dead letters as they are read back from their topics."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from messaging.kafka import KafkaCluster
from messaging.records import Place, Record
from messaging.topics import dead_letters_of

TIMEOUT_S: Final = 20.0
"""Bounds how long the brokers may take for the next letter."""
UNKNOWN_REASON: Final = "unknown"
"""Reason of a letter that somebody else wrote."""
ADDED_HEADERS: Final = frozenset({"reason", "topic", "partition", "offset"})
_READER: Final = "referrals-dead-letters"
"""Name of a group that has no members and commits nothing: a client must give one."""


@dataclass(frozen=True, slots=True)
class LetterHead:
    """A dead letter without its record, of which many are held in memory."""

    id: str
    subject: str
    reason: str
    written_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the record as it was, and why it was put aside."""

    record: Record
    reason: str
    written_at: datetime | None

    @property
    def id(self) -> str:
        """Place at which the record was: `topic:partition:offset`."""
        return str(self.record.place)

    @property
    def subject(self) -> str:
        """Name of this letter in the audit; offsets alone begin anew with a topic made anew."""
        content = (self.record.key or b"") + b"\0" + (self.record.value or b"")
        return f"dead_letter:{self.id}:{hashlib.sha256(content).hexdigest()[:16]}"

    @property
    def head(self) -> LetterHead:
        return LetterHead(self.id, self.subject, self.reason, self.written_at)


def read_letters(
    cluster: KafkaCluster, topics: Collection[str], *, timeout_s: float = TIMEOUT_S
) -> Iterator[Letter]:
    """Yield every letter of records of these topics once, however often it was written.

    Blocks while the brokers answer; raises KafkaException when they do not.
    """
    consumer = Consumer(
        {**cluster.consumer_properties(group=_READER), "enable.partition.eof": True}
    )
    try:
        known = consumer.list_topics(timeout=timeout_s).topics
        unread = {
            (name, number)
            for name in map(dead_letters_of, topics)
            if name in known
            for number in known[name].partitions
        }
        consumer.assign([TopicPartition(*each, OFFSET_BEGINNING) for each in sorted(unread)])
        yield from _read(consumer, unread, timeout_s)
    finally:
        consumer.close()


def _read(consumer: Consumer, unread: set[tuple[str, int]], timeout_s: float) -> Iterator[Letter]:
    seen: set[str] = set()
    while unread:
        message = consumer.poll(timeout_s)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - so it is named
        fault = message.error()
        if fault is None:
            letter = _letter(Record.of(message), message.timestamp()[1])
            if letter.subject not in seen:
                seen.add(letter.subject)
                yield letter
        elif fault.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so it is named
            unread.discard((str(message.topic()), int(message.partition() or 0)))
        else:
            raise KafkaException(fault)


def _letter(written: Record, timestamp_ms: int) -> Letter:
    added = {name: value or b"" for name, value in written.headers[-len(ADDED_HEADERS) :]}
    at = datetime.fromtimestamp(timestamp_ms / 1000, UTC) if timestamp_ms > 0 else None
    try:
        place = Place(added["topic"].decode(), int(added["partition"]), int(added["offset"]))
        reason = added["reason"].decode()
    except (KeyError, ValueError):
        return Letter(written, UNKNOWN_REASON, at)
    if dead_letters_of(place.topic) != written.place.topic:
        # Whoever may write letters of one topic would otherwise report as another.
        return Letter(written, UNKNOWN_REASON, at)
    headers = written.headers[: -len(ADDED_HEADERS)]
    return Letter(Record(place, written.key, written.value, headers), reason, at)
