"""What is counted, logged and handed back; whatever a callback raises stays here."""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, Final

from referrals_client.events import Event
from referrals_client.handing import Dropped, NotTaken
from referrals_client.outcomes import Refused, Unavailable

log: Final = logging.getLogger("referrals_client")


class Telling:
    """Logs ids, counts and reasons, never a body: bodies hold personal data."""

    def __init__(
        self,
        on_dropped: Callable[[Dropped], object] | None,
        on_refused: Callable[[NotTaken], object] | None,
    ) -> None:
        self._on_dropped = on_dropped
        self._on_refused = on_refused
        self._lock = Lock()
        self.counts = {"accepted": 0, "duplicates": 0, "refused": 0, "dropped": 0, "failed": 0}
        self.is_away = False

    def accepted(self, answer: Any) -> None:  # noqa: ANN401 - what the service said
        self._count("accepted")
        if isinstance(answer, dict) and answer.get("status") == "duplicate":
            self._count("duplicates")
        if self.is_away:
            self.is_away = False
            _log(logging.INFO, "the referral service is back")

    def failed(self, failure: Unavailable) -> None:
        self._count("failed")
        if not self.is_away:
            self.is_away = True
            _log(logging.WARNING, "the referral service is away (%s); events wait", failure.why)

    def refused(self, door: str, event_id: str, refusal: Refused, event: Event | None) -> None:
        self._count("refused")
        reason = (refusal.code, refusal.detail)
        _log(logging.ERROR, "%s %s refused: %s %s", door, event_id, *reason)
        self._tell(self._on_refused, NotTaken(door, event_id, refusal, event))

    def dropped(self, event: Event, why: str) -> None:
        self._count("dropped")
        # A line each time the count has doubled; the callback gets every one.
        if self.counts["dropped"].bit_count() == 1:
            which = (event.door, event.event_id, why, self.counts["dropped"])
            _log(logging.ERROR, "%s %s dropped: %s; %d by now", *which)
        self._tell(self._on_dropped, Dropped(event, why))

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def _tell(self, callback: Callable[[Any], object] | None, told: object) -> None:
        if callback is None:
            return
        try:
            callback(told)
        except Exception as fault:  # noqa: BLE001 - it would reach the caller's critical path
            _log(logging.ERROR, "a callback raised %s", type(fault).__name__)


def _log(level: int, text: str, *arguments: object) -> None:
    """Handlers and filters are the caller's; what they raise would end delivery, or the caller."""
    with suppress(Exception):
        log.log(level, text, *arguments)
