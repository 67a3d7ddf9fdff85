"""Prometheus metrics of the events that come in over Kafka."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from db.engine import Database
from db.faults import describe
from messaging.dead_letters.open_letters import OpenLetters
from messaging.dead_letters.producer import DeadLetter
from messaging.inbound.lag import TIMEOUT_S, OffsetReader, Offsets
from messaging.kafka import KafkaCluster
from messaging.topics import dead_letters_of

READ_EVERY_S: Final = 10.0
"""Seconds between two looks at the brokers' offsets."""

log = structlog.get_logger()


class InboundMetrics:
    """Lag and dead letters by topic."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Gauge(
            "referrals_kafka_lag",
            "Records that the consumer group has not committed yet",
            ("topic", "partition"),
            registry=registry,
        )
        self._depth = Gauge(
            "referrals_dlq_depth",
            "Dead letters of a topic that were not replayed",
            ("topic",),
            registry=registry,
        )
        self._letters = Counter(
            "referrals_dead_letters",
            "Records that this process put aside, by the code of the reason",
            ("topic", "code"),
            registry=registry,
        )
        self._reachable = Gauge(
            "referrals_kafka_reachable",
            "1 if the brokers told their offsets at the last look, or 0",
            registry=registry,
        )

    def count_dead_letter(self, letter: DeadLetter) -> None:
        self._letters.labels(letter.record.place.topic, letter.refusal.code).inc()

    def show(self, lag: Offsets, depths: Mapping[str, int]) -> None:
        """Show what the brokers told."""
        for partition, records in lag.items():
            self._lag.labels(partition.topic, str(partition.number)).set(records)
        for topic, records in depths.items():
            self._depth.labels(topic).set(records)
        self._reachable.set(1)

    def show_unreachable(self) -> None:
        self._reachable.set(0)


class LagReporter:
    """Asks the brokers for offsets every few seconds, apart from the consumer, which may hang."""

    def __init__(
        self,
        cluster: KafkaCluster,
        metrics: InboundMetrics,
        *,
        database: Database,
        group: str,
        topics: Collection[str],
        every_s: float = READ_EVERY_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._offsets = OffsetReader(cluster, group, timeout_s=timeout_s)
        self._letters = OpenLetters(cluster, database, timeout_s=timeout_s)
        self._metrics = metrics
        self._topics = topics
        self._every_s = every_s
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        while not self._stopping.is_set():
            await self._read()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._stopping.wait()

    async def _read(self) -> None:
        try:
            lag = await self._offsets.lag(self._topics)
            depths = {
                topic: await self._letters.count(
                    topic, await self._offsets.ends(dead_letters_of(topic))
                )
                for topic in self._topics
            }
        except Exception as fault:  # noqa: BLE001 - no fault of ours ends the reporter
            self._metrics.show_unreachable()
            log.warning("kafka_offsets_unknown", error=describe(fault))
        else:
            self._metrics.show(lag, depths)
