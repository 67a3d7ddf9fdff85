"""Processes of the benchmark on the stack's servers: the floors, and a consumer alone."""

import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from confluent_kafka import Producer
from temporalio.client import Client

from sandbox.benchmarks import floor_api
from sandbox.benchmarks.database_watcher import DatabaseWatcher
from sandbox.benchmarks.http_client import HttpClient
from sandbox.benchmarks.streams import backlog_consumer, floor_consumer
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.topic_reader import REQUEST_TIMEOUT_S
from stack import ports
from stack.child import ChildProcess, ChildSpec, ReadinessProbe, python_child
from stack.probes import has_logged_ready, returns_ok
from stack.referral_processes import BACKGROUND_NICENESS
from stack.state_directory import Connection

AFTERWARDS: Final = ("courier", "verifier")
"""Processes that route what is written, link it in the hash chain, and verify it."""


@dataclass(frozen=True, slots=True)
class Floors:
    api_url: str
    worker_pid: int
    floor_consumer_pid: int
    backlog_consumer_pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that a measurement uses: the service, its floors, and clients of both."""

    connection: Connection
    floors: Floors
    client: HttpClient
    floor_client: HttpClient
    temporal: Client
    watcher: DatabaseWatcher

    async def analyse(self) -> None:
        """Gather statistics, as autovacuum does within the first minute of a database.

        Without them statements are planned for empty tables, and read whole indexes once there are
        rows.
        """
        connection = await asyncpg.connect(self.connection.postgres_owner_dsn)
        try:
            await connection.execute("analyze")
        finally:
            await connection.close()

    @contextmanager
    def suspended(self, *names: str) -> Iterator[None]:
        """Suspend processes of the stack that would use the same cores."""
        pids = [pid for name, pid in self.connection.pids.items() if name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def run_floors(connection: Connection, *, logs: Path) -> AsyncIterator[Floors]:
    """Run all floors, ready on entry and stopped on exit."""
    await _create_tables(connection.postgres_owner_dsn)
    await _create_topics(connection.kafka_bootstrap_servers or "")
    port = ports.find_free()
    url = f"http://127.0.0.1:{port}"
    worker = ChildProcess(_worker(connection), logs=logs)
    api = ChildProcess(_api(connection, port, returns_ok(f"{url}/openapi.json")), logs=logs)
    bare = ChildProcess(_floor_consumer(connection), logs=logs)
    consumer = ChildProcess(_backlog_consumer(connection), logs=logs)
    children = (worker, api, bare, consumer)
    try:
        for child in children:
            await child.wait_until_ready()
        yield Floors(url, worker.pid, bare.pid, consumer.pid)
    finally:
        for child in children:
            await child.stop()


async def _create_tables(owner_dsn: str) -> None:
    connection = await asyncpg.connect(owner_dsn)
    try:
        for statement in (floor_api.CREATE_TABLE, floor_consumer.CREATE_TABLE):
            await connection.execute(statement)
    finally:
        await connection.close()


async def _create_topics(bootstrap_servers: str) -> None:
    """Ask for each topic until the mock cluster has it: that is how it creates one."""
    producer = Producer({"bootstrap.servers": bootstrap_servers})

    async def unknown() -> list[str]:
        return [
            name
            for name in (floor_consumer.TOPIC, backlog_consumer.TOPIC)
            if producer.list_topics(name, timeout=REQUEST_TIMEOUT_S).topics[name].error
        ]

    await wait_until(unknown, lambda names: not names, what="the benchmark's topics")


def _worker(connection: Connection) -> ChildSpec:
    environment = {"FLOOR_TEMPORAL": connection.temporal_address}
    return _child("floor_worker", environment, has_logged_ready)


def _api(connection: Connection, port: int, ready: ReadinessProbe) -> ChildSpec:
    environment = {"FLOOR_DSN": connection.postgres_owner_dsn, "FLOOR_PORT": str(port)}
    return _child("floor_api", environment, ready)


def _floor_consumer(connection: Connection) -> ChildSpec:
    environment = {
        "FLOOR_DSN": connection.postgres_owner_dsn,
        "FLOOR_KAFKA": connection.kafka_bootstrap_servers or "",
    }
    # The courier's niceness, so that both consumers have the same share of the machine.
    return _child(
        "streams.floor_consumer", environment, has_logged_ready, niceness=BACKGROUND_NICENESS
    )


def _backlog_consumer(connection: Connection) -> ChildSpec:
    return _child(
        "streams.backlog_consumer",
        connection.environment,
        has_logged_ready,
        niceness=BACKGROUND_NICENESS,
    )


def _child(
    module: str, environment: Mapping[str, str], probe: ReadinessProbe, *, niceness: int = 0
) -> ChildSpec:
    return python_child(
        module.rpartition(".")[2],
        [f"sandbox.benchmarks.{module}"],
        probe,
        environment=environment,
        niceness=niceness,
    )
