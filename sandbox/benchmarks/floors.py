"""Runs the floors: a worker and an HTTP door of their own, on the same servers."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from sandbox.benchmarks import floor_api
from stack import ports
from stack.child import ChildSpec, ReadinessProbe, Started
from stack.connection import Connection
from stack.probes import answers, has_logged_ready

_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Floors:
    api_url: str
    worker_pid: int


@asynccontextmanager
async def floors(connection: Connection, *, logs: Path) -> AsyncIterator[Floors]:
    """Both ready, and stopped on the way out."""
    await _make_table(connection.postgres_owner_dsn)
    port = ports.another()
    url = f"http://127.0.0.1:{port}"
    worker = Started(_worker(connection), logs=logs)
    api = Started(_api(connection, port, answers(f"{url}/openapi.json")), logs=logs)
    try:
        await worker.ready()
        await api.ready()
        yield Floors(url, worker.pid)
    finally:
        await worker.stop()
        await api.stop()


async def _make_table(owner_dsn: str) -> None:
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute(floor_api.TABLE)
    finally:
        await connection.close()


def _worker(connection: Connection) -> ChildSpec:
    environment = {"FLOOR_TEMPORAL": connection.temporal_address}
    return _child("floor_worker", environment, has_logged_ready)


def _api(connection: Connection, port: int, ready: ReadinessProbe) -> ChildSpec:
    environment = {"FLOOR_DSN": connection.postgres_owner_dsn, "FLOOR_PORT": str(port)}
    return _child("floor_api", environment, ready)


def _child(module: str, environment: Mapping[str, str], ready: ReadinessProbe) -> ChildSpec:
    return ChildSpec(
        name=module,
        command=[sys.executable, "-m", f"sandbox.benchmarks.{module}"],
        environment={**environment, "PYTHONUNBUFFERED": "1"},
        ready=ready,
        directory=_PROJECT,
    )
