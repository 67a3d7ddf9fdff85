"""Metrics of the courier's loops, and its readiness."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from courier.vitals import Vitals
from courier.work_loop import WorkLoop
from db.engine import Database
from db.readiness import probe_postgres
from runtime.health_server import HealthServer
from runtime.readiness import Ask, Readiness
from runtime.settings import Settings
from workflows.temporal_probe import TemporalProbe

REQUIRED_WORK: Final = frozenset({"routing", "carrying", "inviting"})
"""Loops without which no fact reaches its referral; others, such as publishing, are reported."""


class WorkMetrics(Collector):
    """Gauges of each loop, as it is at a scrape."""

    def __init__(self, loops: Sequence[WorkLoop]) -> None:
        self._loops = loops

    def collect(self) -> Iterable[Metric]:
        age = GaugeMetricFamily(
            "referrals_courier_work_age_seconds",
            "Time since each kind of work last ended a round with all that it needs.",
            labels=["work"],
        )
        failures = GaugeMetricFamily(
            "referrals_courier_work_failures",
            "Rounds of each kind of work that failed one after the other.",
            labels=["work"],
        )
        for loop in self._loops:
            age.add_metric([loop.name], loop.success_age_s)
            failures.add_metric([loop.name], loop.failures)
        return (age, failures)


@asynccontextmanager
async def serve_health(
    settings: Settings,
    database: Database,
    registry: CollectorRegistry,
    *,
    loops: Sequence[WorkLoop],
    vitals: Vitals,
) -> AsyncIterator[None]:
    """Serve /healthz, /readyz and /metrics during the block, if a port is set."""
    registry.register(WorkMetrics(loops))
    if settings.courier_metrics_port is None:
        yield
        return
    async with HealthServer(
        host=settings.courier_metrics_host,
        port=settings.courier_metrics_port,
        readiness=courier_readiness(settings, database, loops=loops, vitals=vitals),
        render_metrics=lambda: generate_latest(registry),
    ):
        yield


def courier_readiness(
    settings: Settings, database: Database, *, loops: Sequence[WorkLoop], vitals: Vitals
) -> Readiness:
    """Return the questions to what the courier needs; it works without workers, for nobody."""
    asks = {loop.name.replace(" ", "_"): _asking(loop) for loop in loops}
    required = {name: ask for name, ask in asks.items() if name in REQUIRED_WORK}
    reported = {name: ask for name, ask in asks.items() if name not in REQUIRED_WORK}

    async def ask_postgres() -> str:
        return await probe_postgres(database)

    async def ask_workers() -> str:
        return vitals.workers_state

    return Readiness(
        required={
            "postgres": ask_postgres,
            "temporal": TemporalProbe(settings.temporal).ask,
            **required,
        },
        reported={"workers": ask_workers, **reported},
    )


def _asking(loop: WorkLoop) -> Ask:
    async def ask() -> str:
        return loop.state

    return ask
