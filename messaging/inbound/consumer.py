"""The consumer: records of the topics in, stored as facts or kept as dead letters, then committed.

A batch is read and decoded while the one before it is stored. An offset is committed when every
record before it is stored or is an acknowledged dead letter. What
cannot be stored for a fault of ours, or is an event of the next minute, is kept, its partition is
paused, and it is tried again for as long as this process has the partition.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NamedTuple

import structlog
from confluent_kafka import KafkaException

from db.engine import Database
from db.faults import describe
from messaging.dead_letters.producer import DeadLetter, DeadLetterProducer, DeadLetterSender
from messaging.inbound.acceptance import accept
from messaging.inbound.decoding import Decoder
from messaging.inbound.subscription import Partition, Subscription
from messaging.kafka import KafkaCluster
from messaging.records import Place, Record, Refusal
from referrals.intake.facts import Report

POLL_TIMEOUT_S: Final = 0.5
"""Bounds how late a stop or a due retry is noticed."""
INITIAL_BACKOFF_S: Final = 0.25
MAX_BACKOFF_S: Final = 2.0
"""While Postgres or the topic of dead letters is away; one batch probes it, so it may be often."""

MAX_EARLY_S: Final = 60.0
"""Longest wait of a partition for an event ahead of the clock; a later one is a dead letter."""

OnRefused = Callable[[DeadLetter], None]
log = structlog.get_logger()


class _Decoded(NamedTuple):
    record: Record
    content: Report | Refusal


_Batch = dict[Partition, list[_Decoded]]


@dataclass(frozen=True, slots=True)
class _Storing:
    """A batch that is being stored; the task returns the places that are done for good."""

    batch: _Batch
    accepted: asyncio.Task[frozenset[Place]]


@dataclass(frozen=True, slots=True)
class _Held:
    """Records of a paused partition, in their order, and when they are tried again."""

    records: Sequence[Record]
    failures: int
    retry_at_s: float


class InboundConsumer:
    """Reads the topics of other services until it is stopped."""

    def __init__(
        self,
        database: Database,
        cluster: KafkaCluster,
        *,
        group: str,
        decoder: Decoder,
        letters: DeadLetterSender | None = None,
        on_refused: OnRefused = lambda _: None,
    ) -> None:
        self._database = database
        self._properties = cluster.consumer_properties(group=group)
        self._decoder = decoder
        self._topics = tuple(decoder.schemas)
        self._letters = letters or DeadLetterProducer(cluster.producer_properties())
        self._on_refused = on_refused
        self._stopping = False
        self._storing: _Storing | None = None
        self._held: dict[Partition, _Held] = {}
        self._logged_faults: set[str] = set()
        """Faults for which records are held, each logged once until none is."""
        self._done: dict[Partition, int] = {}
        """Offset behind the last record of each partition that is done for good."""
        self._subscription: Subscription | None = None

    def stop(self) -> None:
        """Stop after the present batch."""
        self._stopping = True

    @property
    def partitions(self) -> frozenset[Partition]:
        """The partitions that this process reads now."""
        return self._subscription.assigned if self._subscription else frozenset()

    async def run(self) -> None:
        """Consume until stopped; a consumer that can go on no longer is replaced by a new one."""
        failures = 0
        while not self._stopping:
            try:
                await self._consume()
            except Exception as fault:  # noqa: BLE001 - no fault of ours ends the consumer
                failures += 1
                log.warning("kafka_consumer_restarts", error=_name(fault), failures=failures)
                await asyncio.sleep(_backoff_s(failures))

    async def _consume(self) -> None:
        self._subscription = subscription = Subscription(
            self._properties, self._topics, on_revoked=self._forget
        )
        try:
            while not self._stopping:
                await self._take_turn(subscription)
            await self._finish_storing(subscription)
            await subscription.commit(self._done)
        finally:
            await self._stop_storing()
            await subscription.close()
            self._forget([*self._held, *self._done])

    async def _take_turn(self, subscription: Subscription) -> None:
        fresh = _by_partition(self._decode(await subscription.poll(self._poll_timeout_s())))
        await self._finish_storing(subscription)
        if batch := self._with_due(fresh):
            decoded = [each for partition in batch.values() for each in partition]
            self._storing = _Storing(batch, asyncio.create_task(self._accept(decoded)))
        await subscription.commit(self._done)

    async def _finish_storing(self, subscription: Subscription) -> None:
        """Wait for the batch that is being stored, and note what is done of it."""
        if storing := self._storing:
            accepted = await storing.accepted
            self._storing = None
            await self._settle(subscription, storing.batch, accepted)

    async def _stop_storing(self) -> None:
        """Give up a batch that is still being stored: what is not committed is read again."""
        if storing := self._storing:
            self._storing = None
            storing.accepted.cancel()
            await asyncio.wait([storing.accepted])

    def _decode(self, records: Sequence[Record]) -> list[_Decoded]:
        contents = self._decoder.decode_all(records)
        return [_Decoded(*pair) for pair in zip(records, contents, strict=True)]

    def _poll_timeout_s(self) -> float:
        if self._storing:
            return 0.0  # What is stored is settled at once.
        retries_s = [held.retry_at_s - time.monotonic() for held in self._held.values()]
        return max(0.0, min([POLL_TIMEOUT_S, *retries_s]))

    def _with_due(self, fresh: _Batch) -> _Batch:
        """Put what is held and due before what is fresh, partition by partition."""
        now_s, batch = time.monotonic(), dict(fresh)
        for partition, held in self._held.items():
            if held.retry_at_s <= now_s or partition in fresh:
                batch[partition] = [*self._decode(held.records), *fresh.get(partition, ())]
        return batch

    async def _accept(self, decoded: Sequence[_Decoded]) -> frozenset[Place]:
        """Return the places of the records that are stored, or dead letters, for good."""
        if not self._held:
            self._logged_faults.clear()
        try:
            outcomes = await accept(self._database, [content for _, content in decoded])
        except Exception as fault:  # noqa: BLE001 - no fault of ours ends the consumer
            if (name := _name(fault)) not in self._logged_faults:
                self._logged_faults.add(name)
                log.warning("kafka_consumer_waits", error=name, records=len(decoded))
            return frozenset()
        pairs = [(record, each) for (record, _), each in zip(decoded, outcomes, strict=True)]
        stored = {record.place for record, each in pairs if not isinstance(each, Refusal)}
        refused = [DeadLetter(record, e) for record, e in pairs if isinstance(e, Refusal)]
        letters = [letter for letter in refused if not 0 < letter.refusal.early_s <= MAX_EARLY_S]
        if len(letters) < len(refused) and not self._held:
            log.warning("kafka_consumer_waits_for_clock", records=len(refused) - len(letters))
        return frozenset(stored) | await self._send(letters)

    async def _send(self, letters: Sequence[DeadLetter]) -> frozenset[Place]:
        sent = await self._letters.send(letters)
        for letter in letters:
            if letter.record.place in sent:
                log.warning(
                    "dead_letter", place=str(letter.record.place), reason=str(letter.refusal)
                )
                self._on_refused(letter)
        return sent

    async def _settle(
        self,
        subscription: Subscription,
        batch: _Batch,
        accepted: frozenset[Place],
    ) -> None:
        """Note how far each partition is done, and pause or resume it."""
        paused, resumed = [], []
        # The last poll may have returned records of a partition that it then gave away.
        for partition in batch.keys() & subscription.assigned:
            records = [record for record, _ in batch[partition]]
            done = list(takewhile(lambda record: record.place in accepted, records))
            if done:
                self._done[partition] = done[-1].place.offset + 1
            before = self._held.pop(partition, None)
            if left := records[len(done) :]:
                failures = before.failures + 1 if before and not done else 1
                retry_at_s = time.monotonic() + _backoff_s(failures)
                self._held[partition] = _Held(left, failures, retry_at_s)
                paused.append(partition)
            elif before:
                resumed.append(partition)
        if paused:
            await subscription.pause(paused)
        if resumed:
            await subscription.resume(resumed)
            log.info("kafka_consumer_goes_on", partitions=len(resumed))

    def _forget(self, partitions: Collection[Partition]) -> None:
        """Drop what is held of partitions that another member reads from now on."""
        for partition in partitions:
            self._held.pop(partition, None)
            self._done.pop(partition, None)
            if self._storing:
                self._storing.batch.pop(partition, None)


def _by_partition(decoded: Sequence[_Decoded]) -> _Batch:
    grouped: _Batch = defaultdict(list)
    for each in decoded:
        topic, number, _ = each.record.place
        grouped[Partition(topic, number)].append(each)
    return grouped


def _name(fault: Exception) -> str:
    """Name a fault and its cause, without texts: those of Postgres may quote what was stored."""
    if isinstance(fault, KafkaException):
        return str(fault.args[0].name())
    return describe(fault)


def _backoff_s(failures: int) -> float:
    capped = min(MAX_BACKOFF_S, INITIAL_BACKOFF_S * 2.0 ** min(failures - 1, 16))
    return capped * random.uniform(0.5, 1.0)  # noqa: S311 - a delay is not a secret
