"""Prometheus metrics of webhooks."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from domain.webhooks.sending import SendResult
from referrals.webhooks.health import WebhookHealth


class WebhookMetrics:
    """Counts attempts, and shows the health of endpoints as it was at the last look."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "referrals_webhook_attempts_total",
            "Attempts at deliveries, by `delivered` or the error.",
            ["result"],
            registry=registry,
        )
        self._webhooks = Gauge(
            "referrals_webhooks",
            "Webhooks that are `succeeding`, `failing` or `disabled`.",
            ["state"],
            registry=registry,
        )
        self._lag = Gauge(
            "referrals_webhook_lag_seconds",
            "Time since which the oldest delivery to an enabled webhook is due.",
            registry=registry,
        )

    def count(self, result: SendResult) -> None:
        self._attempts.labels(result.error.value if result.error else "delivered").inc()

    def show(self, health: WebhookHealth) -> None:
        self._webhooks.labels("succeeding").set(health.succeeding)
        self._webhooks.labels("failing").set(health.failing)
        self._webhooks.labels("disabled").set(health.disabled)
        self._lag.set(health.late_s)
