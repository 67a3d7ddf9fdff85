"""Dead letters as they are written: the record as it came, with the reason beside it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from confluent_kafka import KafkaError, KafkaException, Producer

from messaging.records import Headers, Place, Record, Refusal
from messaging.topics import dead_letters_of

DELIVERY_TIMEOUT_MS: Final = 5_000
"""After which a letter counts as not written, and is written again."""
FLUSH_TIMEOUT_S: Final = 6.0
"""Shorter than the courier's stop, which waits for the thread that writes."""
MAX_LETTER_BYTES: Final = 64 * 1024 * 1024
"""Size of a letter as far as we are concerned: the topic's own limit decides."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was refused, and why."""

    record: Record
    refusal: Refusal


class DeadLetterSender(Protocol):
    """A way for dead letters to be kept for good."""

    async def send(self, letters: Sequence[DeadLetter]) -> frozenset[Place]:
        """Write letters; return the places of those that were acknowledged."""


class DeadLetterProducer:
    """Writes dead letters and waits until the brokers have them."""

    def __init__(
        self, properties: Mapping[str, str | bool], *, max_letter_bytes: int = MAX_LETTER_BYTES
    ) -> None:
        self._properties = {
            **properties,
            "message.timeout.ms": str(DELIVERY_TIMEOUT_MS),
            "message.max.bytes": str(max_letter_bytes),
        }
        self._producer: Producer | None = None

    async def send(self, letters: Sequence[DeadLetter]) -> frozenset[Place]:
        if not letters:
            return frozenset()
        return await asyncio.to_thread(self._send, letters)

    def _send(self, letters: Sequence[DeadLetter]) -> frozenset[Place]:
        producer, batch = self._open(), _Batch()
        for letter in letters:
            batch.produce(producer, letter)
        producer.flush(FLUSH_TIMEOUT_S)
        for letter in tuple(batch.too_large):
            batch.produce(producer, _without_value(letter))
        if batch.too_large:
            producer.flush(FLUSH_TIMEOUT_S)
        if batch.is_fatal:
            self._producer = None
        return frozenset(batch.written)

    def _open(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {**self._properties, "logger": logging.getLogger("librdkafka")}
            )
        return self._producer


class _Batch:
    """Letters on their way, and what became of each."""

    def __init__(self) -> None:
        self.written: set[Place] = set()
        self.too_large: list[DeadLetter] = []
        self.is_fatal = False

    def produce(self, producer: Producer, letter: DeadLetter) -> None:
        try:
            self._produce(producer, letter)
        except BufferError:
            producer.flush(FLUSH_TIMEOUT_S)
            self._produce(producer, letter)
        except KafkaException as fault:
            self._settle(letter, fault.args[0])

    def _produce(self, producer: Producer, letter: DeadLetter) -> None:
        record = letter.record
        producer.produce(
            dead_letters_of(record.place.topic),
            key=record.key,
            value=record.value,
            headers=[*record.headers, *headers_of(letter)],
            on_delivery=lambda fault, _: self._settle(letter, fault),
        )

    def _settle(self, letter: DeadLetter, fault: KafkaError | None) -> None:
        record = letter.record
        if fault is None:
            self.written.add(record.place)
        elif fault.code() == KafkaError.MSG_SIZE_TOO_LARGE and record.value is not None:
            self.too_large.append(letter)
        else:
            self.is_fatal |= fault.fatal()
            log.error("dead_letter_failed", error=fault.name(), place=str(record.place))


def headers_of(letter: DeadLetter) -> Headers:
    """Return the headers that a letter adds to those of its record."""
    place = letter.record.place
    return (
        ("reason", str(letter.refusal).encode()),
        ("topic", place.topic.encode()),
        ("partition", str(place.partition).encode()),
        ("offset", str(place.offset).encode()),
    )


def _without_value(letter: DeadLetter) -> DeadLetter:
    """Leave the value out of a letter that its topic does not take: it is where it came from."""
    record = letter.record
    headers = (*record.headers, ("value_left_out", b"too large for this topic"))
    return DeadLetter(Record(record.place, record.key, None, headers), letter.refusal)
