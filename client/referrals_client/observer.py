"""Counts, log lines and callbacks of deliveries. Exceptions of callbacks stay here."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, Final

from referrals_client.events import Event
from referrals_client.handover import Dropped, DropReason, NotTaken
from referrals_client.outcomes import Refused, Unavailable

log: Final = logging.getLogger("referrals_client")


class DeliveryObserver:
    """Records deliveries. Logs hold ids, counts and reasons, never a body with personal data."""

    def __init__(
        self,
        on_dropped: Callable[[Dropped], object] | None,
        on_refused: Callable[[NotTaken], object] | None,
    ) -> None:
        self._on_dropped = on_dropped
        self._on_refused = on_refused
        self._lock = Lock()
        counters = ("accepted", "duplicates", "refused", "dropped", "failed", "early")
        self.counts = dict.fromkeys(counters, 0)
        self.is_away = False

    def record_accepted(self, answer: Any) -> None:  # noqa: ANN401 - any JSON
        self._count("accepted")
        if isinstance(answer, dict) and answer.get("status") == "duplicate":
            self._count("duplicates")
        if self.is_away:
            self.is_away = False
            _log(logging.INFO, "the referral service is available again")

    def record_failure(self, failure: Unavailable) -> None:
        self._count("failed")
        if not self.is_away:
            self.is_away = True
            _log(
                logging.WARNING,
                "the referral service is unavailable (%s); events are queued",
                failure.why,
            )

    def record_early(self, event: Event) -> None:
        """Record an event that is ahead of the service's clock; the service is available."""
        self._count("early")
        # Log each time the count has doubled, because a fast clock makes every event early.
        if self.counts["early"].bit_count() == 1:
            _log(
                logging.WARNING,
                "%s %s is ahead of the service's clock (too_early), so its player's events wait;"
                " %d in total",
                *(event.door, event.event_id, self.counts["early"]),
            )

    def record_refusal(
        self, door: str, event_id: str, refusal: Refused, event: Event | None
    ) -> None:
        self._count("refused")
        reason = (refusal.code, refusal.detail)
        _log(logging.ERROR, "%s %s refused: %s %s", door, event_id, *reason)
        self._call_back(self._on_refused, NotTaken(door, event_id, refusal, event))

    def record_drop(self, event: Event, drop_reason: DropReason) -> None:
        self._count("dropped")
        # Log each time the count has doubled; the callback receives every event.
        if self.counts["dropped"].bit_count() == 1:
            which = (event.door, event.event_id, drop_reason, self.counts["dropped"])
            _log(logging.ERROR, "%s %s dropped: %s; %d in total", *which)
        self._call_back(self._on_dropped, Dropped(event, drop_reason))

    def _count(self, counter: str) -> None:
        with self._lock:
            self.counts[counter] += 1

    def _call_back(self, callback: Callable[[Any], object] | None, argument: object) -> None:
        if callback is None:
            return
        try:
            callback(argument)
        except Exception as fault:  # noqa: BLE001 - must not reach the caller's critical path
            _log(logging.ERROR, "a callback raised %s", type(fault).__name__)


def _log(level: int, text: str, *arguments: object) -> None:
    """Log without raising: a handler or filter of the caller must not stop the delivery."""
    with suppress(Exception):
        log.log(level, text, *arguments)
