"""Prometheus metrics of the courier."""

from prometheus_client import CollectorRegistry, start_http_server

from runtime.settings import Settings


def serve_metrics(settings: Settings) -> CollectorRegistry:
    """Return the registry that GET /metrics shows, in a thread of its own, if a port is set."""
    registry = CollectorRegistry()
    if settings.courier_metrics_port is not None:
        start_http_server(
            settings.courier_metrics_port, settings.courier_metrics_host, registry=registry
        )
    return registry
