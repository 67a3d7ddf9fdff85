"""The floors beside the service: a worker and an HTTP server of their own, on the same servers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from temporalio.client import Client

from sandbox.benchmarks import floor_api
from sandbox.benchmarks.database_watcher import DatabaseWatcher
from sandbox.benchmarks.http_client import HttpClient
from stack import ports
from stack.child import ChildProcess, ChildSpec, ReadinessProbe, python_child
from stack.probes import has_logged_ready, returns_ok
from stack.state_directory import Connection


@dataclass(frozen=True, slots=True)
class Floors:
    api_url: str
    worker_pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that a measurement uses: the service, its floors, and clients of both."""

    connection: Connection
    floors: Floors
    client: HttpClient
    floor_client: HttpClient
    temporal: Client
    watcher: DatabaseWatcher


@asynccontextmanager
async def run_floors(connection: Connection, *, logs: Path) -> AsyncIterator[Floors]:
    """Run both floors, ready on entry and stopped on exit."""
    await _create_table(connection.postgres_owner_dsn)
    port = ports.find_free()
    url = f"http://127.0.0.1:{port}"
    worker = ChildProcess(_worker(connection), logs=logs)
    api = ChildProcess(_api(connection, port, returns_ok(f"{url}/openapi.json")), logs=logs)
    try:
        await worker.wait_until_ready()
        await api.wait_until_ready()
        yield Floors(url, worker.pid)
    finally:
        await worker.stop()
        await api.stop()


async def _create_table(owner_dsn: str) -> None:
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute(floor_api.CREATE_TABLE)
    finally:
        await connection.close()


def _worker(connection: Connection) -> ChildSpec:
    environment = {"FLOOR_TEMPORAL": connection.temporal_address}
    return _child("floor_worker", environment, has_logged_ready)


def _api(connection: Connection, port: int, ready: ReadinessProbe) -> ChildSpec:
    environment = {"FLOOR_DSN": connection.postgres_owner_dsn, "FLOOR_PORT": str(port)}
    return _child("floor_api", environment, ready)


def _child(module: str, environment: Mapping[str, str], probe: ReadinessProbe) -> ChildSpec:
    return python_child(module, [f"sandbox.benchmarks.{module}"], probe, environment=environment)
