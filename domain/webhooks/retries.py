"""The schedule of repeats, and when a delivery or an endpoint is given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.webhooks.sending import SendResult

TRY_LATER: Final = frozenset({429, 503})
"""Statuses whose `Retry-After` is respected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Bounds of the repeats, which are spread over days."""

    first_delay_s: float = 5.0
    factor: float = 3.0
    max_delay_s: float = 6 * 3600.0
    """Bounds the backoff, and what an endpoint may ask for by `Retry-After`."""
    give_up_after: timedelta = timedelta(days=5)
    """Age of a delivery at which a failed attempt is its last one."""
    disable_after: timedelta = timedelta(days=5)
    """Time without any success after which an endpoint is disabled."""
    disable_failures: int = 10
    """Failures it takes besides: a courier that stood still for days has seen only a few."""
    down_after: timedelta = timedelta(minutes=2)
    """Time without any success after which an endpoint counts as down."""
    down_failures: int = 10
    probe_interval_s: float = 60.0
    """Between two attempts at an endpoint that is down, whatever is due."""

    def delay_s(self, failures: int, result: SendResult, *, jitter: float) -> float:
        """Return the seconds before the next attempt; `jitter` is from 0 to 1."""
        asked_s = self.pause_s(result)
        if asked_s is not None:
            return max(asked_s, self.first_delay_s) * (1.0 + 0.2 * jitter)
        exponent = min(failures - 1, 32)
        grown = min(self.first_delay_s * self.factor**exponent, self.max_delay_s)
        return grown * (0.8 + 0.4 * jitter)

    def pause_s(self, result: SendResult) -> float | None:
        """Return for how many seconds the endpoint asks to be left alone, within bounds."""
        if result.status not in TRY_LATER or result.retry_after_s is None:
            return None
        return min(max(result.retry_after_s, 1.0), self.max_delay_s)

    def is_down(self, *, failing_since: datetime, failures: int, now: datetime) -> bool:
        """Return whether an endpoint fails altogether, and not a few deliveries alone."""
        return failures >= self.down_failures and now - failing_since >= self.down_after

    def gives_up(self, *, due_since: datetime, now: datetime) -> bool:
        return now - due_since >= self.give_up_after

    def disables(self, *, failing_since: datetime, failures: int, now: datetime) -> bool:
        return failures >= self.disable_failures and now - failing_since >= self.disable_after
