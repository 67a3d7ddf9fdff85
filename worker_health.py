"""Metrics of the worker: those of the SDK and of its pool, and its readiness."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal
from urllib.request import ProxyHandler, build_opener

from prometheus_client import CollectorRegistry, generate_latest
from temporalio.common import MetricMeter
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from db.engine import Database
from db.readiness import probe_postgres
from runtime.health_server import HealthServer
from runtime.pool_metrics import show_pool
from runtime.readiness import Readiness
from runtime.settings import Settings
from workflows.temporal_probe import TemporalProbe

LOOPBACK: Final = "127.0.0.1"
PORT_ATTEMPTS: Final = 20
"""Tries to give the SDK a free port before another process takes it."""
SDK_TIMEOUT_S: Final = 2.0


class WorkerHealth:
    """The server of /healthz, /readyz and /metrics, and what the rest of the worker tells it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self.work_state: Literal["starting", "ok", "stopping"] = "starting"
        self.runtime: Runtime | None = None
        if settings.worker_metrics_port is not None:
            self.runtime, self._sdk_port = _start_runtime()

    @property
    def meter(self) -> MetricMeter:
        return self.runtime.metric_meter if self.runtime else MetricMeter.noop

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve during the block, if a port is set."""
        if self._settings.worker_metrics_port is None:
            yield
            return
        registry = CollectorRegistry()
        show_pool(
            registry,
            in_use=self._database.connections_in_use,
            size=self._settings.database_pool_size,
        )
        async with HealthServer(
            host=self._settings.worker_metrics_host,
            port=self._settings.worker_metrics_port,
            readiness=self.readiness(),
            render_metrics=lambda: self._read_sdk_metrics() + generate_latest(registry),
        ):
            yield

    def readiness(self) -> Readiness:
        """Return the questions to what a worker needs."""

        async def ask_postgres() -> str:
            return await probe_postgres(self._database)

        async def ask_work() -> str:
            return self.work_state

        temporal = TemporalProbe(self._settings.temporal)
        return Readiness(
            required={"postgres": ask_postgres, "temporal": temporal.ask, "work": ask_work},
            reported={},
        )

    def _read_sdk_metrics(self) -> bytes:
        """Read what the SDK serves on a port of its own, which has no other paths."""
        opener = build_opener(ProxyHandler({}))
        url = f"http://{LOOPBACK}:{self._sdk_port}/metrics"
        with opener.open(url, timeout=SDK_TIMEOUT_S) as answer:
            metrics: bytes = answer.read()
        return metrics


def _start_runtime() -> tuple[Runtime, int]:
    """Start a runtime that serves its metrics on a free port of this machine."""
    for _ in range(PORT_ATTEMPTS - 1):
        try:
            return _start_runtime_on(port := _free_port()), port
        except ValueError:
            # Another process was faster.
            continue
    return _start_runtime_on(port := _free_port()), port


def _start_runtime_on(port: int) -> Runtime:
    metrics = PrometheusConfig(
        bind_address=f"{LOOPBACK}:{port}", counters_total_suffix=True, durations_as_seconds=True
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        port: int = found.getsockname()[1]
        return port
