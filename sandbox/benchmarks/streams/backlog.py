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
from sandbox.benchmarks.floors import AFTERWARDS, Bench
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
COURIER: Final = "courier"
_FACTS_OF_IDS: Final = "kind = 'deposit' and event_id = any($1::text[])"
POLL_INTERVAL_S: Final = 0.25
"""Between two looks for the last rows; the rate counts to when Postgres had the last of them."""
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
    of_ids: str
    """Condition that a row has one of the ids $1, by the primary key."""
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
            await self._wait_for_last_rows(connection, series, count)
            self.seconds += (
                await self._last_row_at(connection, series, count) - started
            ).total_seconds()
        self.messages += count

    async def _wait_for_last_rows(
        self, connection: "asyncpg.Connection[asyncpg.Record]", series: str, count: int
    ) -> None:
        """Wait for the last row of every player, with which each partition ends."""
        last = [f"{series}-{number}" for number in range(count) if _is_last(number, count)]
        found = f"select count(*) from {self.table} where {self.of_ids}"  # noqa: S608
        await wait_until(
            lambda: connection.fetchval(found, last),
            lambda seen: seen == len(last),
            what=f"the last rows of {series}",
            within_s=DRAINED_WITHIN_S,
            every_s=POLL_INTERVAL_S,
        )

    async def _last_row_at(
        self, connection: "asyncpg.Connection[asyncpg.Record]", series: str, count: int
    ) -> datetime:
        rows = f"from {self.table} where {self.id_column} like $1"
        query = f"select count(*) as seen, max(heard_at) as at {rows}"
        row = await connection.fetchrow(query, f"{series}-%")
        if row is None or row["seen"] != count:
            raise ValueError(f"{count} messages of {series} are not as many rows")
        at: datetime = row["at"]
        return at


async def measure(bench: Bench, *, messages: int) -> list[Measurement]:
    for name, contender in _contenders(bench).items():
        await _drain(bench, name, contender, series=f"warm-up-{contender.topic}", count=WARM_UP)
    contenders = _contenders(bench)
    for turn in range(TURNS):
        for name, contender in contenders.items():
            series = f"backlog-{turn}-{contender.topic}"
            await _drain(bench, name, contender, series=series, count=messages)
    return _measurements(contenders, messages)


async def _drain(
    bench: Bench, name: str, contender: "Contender", *, series: str, count: int
) -> None:
    """Drain a backlog, alone but for the courier's, and wait until its facts are routed.

    Routing what was recorded must not run while the next one is measured.
    """
    with bench.suspended(*(() if name == COURIER else AFTERWARDS)):
        await contender.drain(bench, series, count)
    await bench.watcher.wait_until_idle()


def _is_last(number: int, count: int) -> bool:
    """Return whether a message is the last of its player, or of all."""
    return number % DEPOSITS_PER_PLAYER == DEPOSITS_PER_PLAYER - 1 or number == count - 1


def _contenders(bench: Bench) -> dict[str, Contender]:
    postgres_pid = bench.connection.pids["postgres"]
    return {
        COURIER: Contender(
            pid=bench.connection.pids["courier"],
            postgres_pid=postgres_pid,
            topic=DEPOSITS,
            table="facts",
            id_column="event_id",
            of_ids=_FACTS_OF_IDS,
        ),
        "consumer": Contender(
            pid=bench.floors.backlog_consumer_pid,
            postgres_pid=postgres_pid,
            topic=backlog_consumer.TOPIC,
            table="facts",
            id_column="event_id",
            of_ids=_FACTS_OF_IDS,
        ),
        "floor": Contender(
            pid=bench.floors.floor_consumer_pid,
            postgres_pid=postgres_pid,
            topic=floor_consumer.TOPIC,
            table="floor_messages",
            id_column="id",
            of_ids="id = any($1::text[])",
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
    courier, consumer, floor = (contenders[name] for name in (COURIER, "consumer", "floor"))
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
