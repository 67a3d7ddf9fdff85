"""Drain rate of a backlog in Kafka: the courier beside a bare consumer that only inserts."""

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
from sandbox.benchmarks.traffic import deposit_body
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.services.connections import connect

TURNS: Final = 2
"""Backlogs that each consumer drains; they take turns in being the first."""
WARM_UP: Final = 1000
"""Messages of an unmeasured backlog before those."""
DEPOSITS_PER_PLAYER: Final = 20
MIN_RATIO: Final = 0.7
POLL_INTERVAL_S: Final = 0.1
DRAINED_WITHIN_S: Final = 300.0
FLUSH_S: Final = 60.0


@dataclass(slots=True, kw_only=True)
class Contender:
    """A consumer under test, the table of its rows, and what it needed for its backlogs."""

    process: str
    pid: int
    postgres_pid: int
    table: str
    id_column: str
    messages: int = 0
    seconds: float = 0.0
    cpu: CpuMeter = field(default_factory=CpuMeter)

    @property
    def per_second(self) -> float:
        return self.messages / self.seconds

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def suspend(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    async def drain(self, dsn: str, series: str, count: int) -> None:
        """Run until every message of the series is a row, and add up what that took."""
        pids = {self.process: self.pid, "postgres": self.postgres_pid}
        async with connect(dsn) as connection:
            started: datetime = await connection.fetchval("select clock_timestamp()")
            async with self.cpu.measure(pids, count=count):
                self.resume()
                await self._wait_for_rows(connection, series, count)
                self.suspend()
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
    """Let both consumers drain the same backlogs, each while the other is suspended."""
    await _take_turn(bench, _contenders(bench), "warm-up", WARM_UP)
    contenders = _contenders(bench)
    for turn in range(TURNS):
        in_turn = contenders if turn % 2 else contenders[::-1]
        await _take_turn(bench, in_turn, f"backlog-{turn}", messages)
    return _measurements(*contenders)


def _contenders(bench: Bench) -> tuple[Contender, Contender]:
    pids = bench.connection.pids
    real = Contender(
        process="courier",
        pid=pids["courier"],
        postgres_pid=pids["postgres"],
        table="facts",
        id_column="event_id",
    )
    floor = Contender(
        process="floor",
        pid=bench.floors.consumer_pid,
        postgres_pid=pids["postgres"],
        table="floor_messages",
        id_column="id",
    )
    return real, floor


async def _take_turn(
    bench: Bench, contenders: tuple[Contender, ...], series: str, count: int
) -> None:
    # What the courier still has to route must not run while the other consumer is measured.
    for contender in contenders:
        contender.suspend()
    try:
        await asyncio.to_thread(_publish, bench, series, count)
        for contender in contenders:
            await contender.drain(bench.connection.postgres_owner_dsn, series, count)
    finally:
        for contender in contenders:
            contender.resume()
    await bench.watcher.wait_until_idle()


def _publish(bench: Bench, series: str, count: int) -> None:
    brokers = bench.connection.kafka_bootstrap_servers or ""
    properties = KafkaCluster(bootstrap_servers=brokers).producer_properties()
    producer = Producer(properties)
    for number in range(count):
        player_id = f"{series}-player-{number // DEPOSITS_PER_PLAYER}"
        event_id = f"{series}-{number}"
        body = deposit_body(player_id) | {"event_id": event_id, "deposit_id": event_id}
        producer.produce(
            DEPOSITS, key=player_id, value=json.dumps(body), headers={"event_id": event_id}
        )
    if producer.flush(FLUSH_S):
        raise TimeoutError("the broker does not acknowledge the backlog")


def _measurements(real: Contender, floor: Contender) -> list[Measurement]:
    return [
        Measurement(
            name=f"backlog of {real.messages // TURNS} deposits in Kafka, drained",
            unit="1/s",
            value=real.per_second,
            floor=floor.per_second,
            at_least_of_floor=MIN_RATIO,
        ),
        *(
            Measurement(
                name=f"CPU of a message: {name}",
                unit="ms",
                value=real.cpu.cpu_ms(process),
                floor=floor.cpu.cpu_ms(floors_process),
            )
            for name, process, floors_process in (
                ("consumer", real.process, floor.process),
                ("postgres", "postgres", "postgres"),
            )
        ),
    ]
