"""Metrics of the consumer group: how far it is behind, and what was put aside."""

import asyncio
import time
from dataclasses import replace

from prometheus_client import CollectorRegistry
from sqlalchemy import text
from structlog.testing import capture_logs

from courier.main import SHUTDOWN_TIMEOUT_S
from db.engine import Database
from messaging.dead_letters.open_letters import OpenLetters
from messaging.dead_letters.reading import read_letters
from messaging.dead_letters.replaying import Replayer
from messaging.inbound.metrics import InboundMetrics, LagReporter
from messaging.inbound.subscription import Partition
from messaging.kafka import KafkaCluster
from messaging.topics import dead_letters_of
from referrals.access.audit import Actor
from sandbox.sportsbook.polling import wait_until
from tests.api.bodies import deposit
from tests.messaging.stream import PARTITIONS, Sender, Stream, consuming


class Shown:
    """The metrics that GET /metrics of the courier would show."""

    def __init__(self, stream: Stream) -> None:
        self.registry = CollectorRegistry()
        self.metrics = InboundMetrics(self.registry)
        self._stream = stream

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def reachable(self) -> float | None:
        return self.value("referrals_kafka_reachable")

    async def lag(self) -> list[float | None]:
        return [
            self.value("referrals_kafka_lag", topic=self._stream.topic(), partition=str(number))
            for number in range(PARTITIONS)
        ]

    async def depth(self) -> float | None:
        return self.value("referrals_dlq_depth", topic=self._stream.topic())


async def test_lag_and_dead_letters_are_metrics(database: Database, stream: Stream) -> None:
    shown, sender = Shown(stream), Sender(stream)
    for _ in range(10):
        sender.send(deposit())
    sender.send(deposit(more="x" * 70_000))
    await sender.flush()
    topics = list(stream.decoder.schemas)
    reporter = LagReporter(
        stream.cluster,
        shown.metrics,
        database=database,
        group=stream.group,
        topics=topics,
        every_s=0.1,
    )
    reporting = asyncio.create_task(reporter.run())

    await wait_until(shown.reachable, lambda seen: seen == 1, what="the first look")
    assert sum(lag or 0 for lag in await shown.lag()) == 11
    assert await shown.depth() == 0
    async with consuming(database, stream, on_refused=shown.metrics.count_dead_letter):
        await wait_until(shown.lag, lambda seen: seen == [0] * PARTITIONS, what="no lag")
    await wait_until(shown.depth, lambda seen: seen == 1, what="a dead letter")
    code = {"topic": stream.topic(), "code": "too_large"}
    assert shown.value("referrals_dead_letters_total", **code) == 1

    (letter,) = read_letters(stream.cluster, [stream.topic()])
    actor = Actor(name="somebody", request_id=None, reason="a test")
    patient = replace(stream.decoder, max_value_bytes=100_000)
    await Replayer(database, patient, actor).replay(letter)
    await wait_until(shown.depth, lambda seen: seen == 0, what="no open letter")

    reporter.stop()
    await reporting


async def test_a_fault_of_ours_in_counting_replayed_letters_is_logged(
    fresh_database: Database, fresh_superuser: Database, stream: Stream
) -> None:
    sender = Sender(stream)
    sender.send(b"{")
    await sender.flush()
    async with consuming(fresh_database, stream):
        await stream.wait_until_caught_up()
    async with fresh_superuser.transaction() as session:
        await session.execute(text("alter table audit rename to elsewhere"))
    letters = OpenLetters(stream.cluster, fresh_database, timeout_s=30)

    with capture_logs() as logged:
        kept = {Partition(dead_letters_of(stream.topic()), 0): (0, 1)}
        assert await letters.count(stream.topic(), kept) == 1

    assert [(line["event"], line["error"]) for line in logged] == [
        ("replayed_letters_unknown", "ProgrammingError: ProgrammingError")
    ]


async def test_brokers_that_are_away_are_a_metric_and_delay_no_stop(database: Database) -> None:
    nowhere = Stream(KafkaCluster(bootstrap_servers="127.0.0.1:1"))
    shown = Shown(nowhere)
    reporter = LagReporter(
        nowhere.cluster, shown.metrics, database=database, group="g", topics=["t"], timeout_s=0.5
    )
    async with consuming(database, nowhere):
        reporting = asyncio.create_task(reporter.run())
        await wait_until(shown.reachable, lambda seen: seen == 0, what="brokers missed")
        reporter.stop()
        began_s = time.monotonic()
    await reporting
    assert time.monotonic() - began_s < SHUTDOWN_TIMEOUT_S
