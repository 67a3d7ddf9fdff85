"""Prometheus metrics of a process's pool of connections to Postgres."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Gauge


def show_pool(registry: CollectorRegistry, *, in_use: Callable[[], int], size: int) -> None:
    """Show how many connections of a pool are in use, as asked at each scrape."""
    used = Gauge(
        "referrals_database_connections_in_use",
        "Connections to Postgres that are lent out.",
        registry=registry,
    )
    used.set_function(in_use)
    total = Gauge(
        "referrals_database_connections",
        "Connections to Postgres that the process may open.",
        registry=registry,
    )
    total.set(size)
