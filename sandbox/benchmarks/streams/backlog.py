"""Drain rate of a backlog in Kafka: the courier and its consumer beside a bare consumer."""

import asyncio
import json
import os
import signal
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import asyncpg
from confluent_kafka import Producer

from messaging.kafka import KafkaCluster
from messaging.topics import DEPOSITS
from sandbox.benchmarks.cpu import CpuMeter
from sandbox.benchmarks.floors import Bench
from sandbox.benchmarks.measurements import Measurement
from sandbox.benchmarks.streams import backlog_consumer, floor_consumer
from sandbox.benchmarks.traffic import deposit_body
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.services.connections import connect

TURNS: Final = 2
"""Backlogs that each contender drains, in turns."""
WARM_UP: Final = 1000
"""Messages of an unmeasured backlog before those."""
DEPOSITS_PER_PLAYER: Final = 20
MIN_RATIO: Final = 0.7
POLL_INTERVAL_S: Final = 0.1
DRAINED_WITHIN_S: Final = 300.0
FLUSH_S: Final = 60.0


@dataclass(slots=True, kw_only=True)
class Contender:
    """A process that consumes a topic, the table of its rows, and what it has needed."""

    pid: int
    postgres_pid: int
    topic: str
    table: str
    id_column: str
    messages: int = 0
    seconds: float = 0.0
    cpu: CpuMeter = field(default_factory=CpuMeter)

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds

    async def drain(self, bench: Bench, series: str, count: int) -> None:
        """Drain a backlog that is written while this process is suspended."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            await asyncio.to_thread(_publish, bench, self.topic, series, count)
        finally:
            os.kill(self.pid, signal.SIGCONT)
        pids = {"consumer": self.pid, "postgres": self.postgres_pid}
        async with (
            connect(bench.connection.postgres_owner_dsn) as connection,
            self.cpu.measure(pids, count=count),
        ):
            started: datetime = await connection.fetchval("select clock_timestamp()")
            await self._wait_for_rows(connection, series, count)
            self.seconds += (await self._last_row_at(connection, series) - started).total_seconds()
        self.messages += count

    async def _wait_for_rows(
        self, connection: "asyncpg.Connection[asyncpg.Record]", series: str, count: int
    ) -> None:
        rows = f"select count(*) from {self.table} where {self.id_column} like $1"  # noqa: S608
        await wait_until(
            lambda: connection.fetchval(rows, f"{series}-%"),
            lambda seen: seen == count,
            what=f"{count} rows of {series}",
            within_s=DRAINED_WITHIN_S,
            every_s=POLL_INTERVAL_S,
        )

    async def _last_row_at(
        self, connection: "asyncpg.Connection[asyncpg.Record]", series: str
    ) -> datetime:
        last = f"select max(heard_at) from {self.table} where {self.id_column} like $1"  # noqa: S608
        at: datetime = await connection.fetchval(last, f"{series}-%")
        return at


async def measure(bench: Bench, *, messages: int) -> list[Measurement]:
    for contender in _contenders(bench).values():
        await contender.drain(bench, f"warm-up-{contender.topic}", WARM_UP)
    await bench.watcher.wait_until_idle()
    contenders = _contenders(bench)
    for turn in range(TURNS):
        for contender in contenders.values():
            await contender.drain(bench, f"backlog-{turn}-{contender.topic}", messages)
            # Routing what was recorded must not run while the next one is measured.
            await bench.watcher.wait_until_idle()
    return _measurements(contenders, messages)


def _contenders(bench: Bench) -> dict[str, Contender]:
    postgres_pid = bench.connection.pids["postgres"]
    return {
        "courier": Contender(
            pid=bench.connection.pids["courier"],
            postgres_pid=postgres_pid,
            topic=DEPOSITS,
            table="facts",
            id_column="event_id",
        ),
        "consumer": Contender(
            pid=bench.floors.backlog_consumer_pid,
            postgres_pid=postgres_pid,
            topic=backlog_consumer.TOPIC,
            table="facts",
            id_column="event_id",
        ),
        "floor": Contender(
            pid=bench.floors.floor_consumer_pid,
            postgres_pid=postgres_pid,
            topic=floor_consumer.TOPIC,
            table="floor_messages",
            id_column="id",
        ),
    }


def _publish(bench: Bench, topic: str, series: str, count: int) -> None:
    brokers = bench.connection.kafka_bootstrap_servers or ""
    producer = Producer(KafkaCluster(bootstrap_servers=brokers).producer_properties())
    for number in range(count):
        player_id = f"{series}-player-{number // DEPOSITS_PER_PLAYER}"
        event_id = f"{series}-{number}"
        body = deposit_body(player_id) | {"event_id": event_id, "deposit_id": event_id}
        producer.produce(topic, key=player_id, value=json.dumps(body))
    if producer.flush(FLUSH_S):
        raise TimeoutError("the broker does not acknowledge the backlog")


def _measurements(contenders: dict[str, Contender], messages: int) -> list[Measurement]:
    courier, consumer, floor = (contenders[name] for name in ("courier", "consumer", "floor"))
    name = f"backlog of {messages} deposits in Kafka"
    rates = [
        Measurement(
            name=f"{name}, by the courier's consumer alone",
            unit="1/s",
            value=consumer.per_second,
            floor=floor.per_second,
            at_least_of_floor=MIN_RATIO,
        ),
        Measurement(
            name=f"{name}, by a courier, which also routes",
            unit="1/s",
            value=courier.per_second,
            floor=floor.per_second,
        ),
    ]
    cpu = [
        Measurement(
            name=f"CPU of a message: {process}",
            unit="µs",
            value=1000 * consumer.cpu.cpu_ms(process),
            floor=1000 * floor.cpu.cpu_ms(process),
        )
        for process in ("consumer", "postgres")
    ]
    return [*rates, *cpu]
