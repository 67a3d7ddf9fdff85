"""Results that a caller receives for the events it hands over."""

from dataclasses import dataclass
from enum import StrEnum

from referrals_client.events import Event
from referrals_client.outcomes import Refused


class Handover(StrEnum):
    """Result of handing an event over, at the moment of the call."""

    QUEUED = "queued"
    DROPPED = "dropped"
    """The queue is full, or the client is closed or forked; `on_dropped` receives the event."""
    REFUSED = "refused"
    """The event is invalid; `on_refused` receives the reason."""


class DropReason(StrEnum):
    """Reasons why an event is dropped."""

    FULL = "full"
    """The queue holds as many events or bytes as `Limits` allow, or half as many behind events that
    are ahead of the service's clock."""
    CLOSED = "closed"
    FORKED = "forked"
    """The process was forked from the one that delivers."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event that this client stopped delivering. It may have arrived; repeating it is safe."""

    event: Event
    why: DropReason


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An event that the client or the service rejected. It is not retried."""

    door: str
    event_id: str
    refusal: Refused
    event: Event | None
    """Left None when the client itself rejected the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the client was made, and `waiting`: events that are queued or in flight now."""

    waiting: int
    accepted: int
    duplicates: int
    """Accepted events that the service had recorded before."""
    refused: int
    dropped: int
    failed_attempts: int
    early_attempts: int
    """Attempts of events that were ahead of the service's clock; not among `failed_attempts`."""
    is_away: bool
    """True while the last delivery attempt failed; an event that is too early is not a failure."""
