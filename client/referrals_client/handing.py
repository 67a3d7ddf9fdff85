"""What a caller is told of the events that it hands over."""

from dataclasses import dataclass
from enum import StrEnum

from referrals_client.events import Event
from referrals_client.outcomes import Refused


class Handover(StrEnum):
    """What became of an event at the moment of the call."""

    QUEUED = "queued"
    DROPPED = "dropped"
    """The queue is full, the client is closed or of another process; `on_dropped` has it."""
    REFUSED = "refused"
    """It could never be accepted; `on_refused` has the reason."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An event that this client will not deliver. It may have arrived; repeating it is harmless."""

    event: Event
    why: str
    """`full`, `closed`, or `forked`."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An event that was refused, here or by the service, and will not be sent again."""

    door: str
    event_id: str
    refusal: Refused
    event: Event | None
    """None when there was nothing that could have been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts since the client was made; `waiting` is of now, those on their way among them."""

    waiting: int
    accepted: int
    duplicates: int
    """Heard before by the service, of those accepted."""
    refused: int
    dropped: int
    failed_attempts: int
    is_away: bool
    """Whether the last attempt to deliver an event failed."""
