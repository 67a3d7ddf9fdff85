"""Sending: whether a message that is due may be sent to its player now, later or not at all."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from domain.jurisdictions import overlap
from domain.notifications.messages import REMINDERS, Message
from domain.notifications.quiet_hours import QuietHours, end_of_quiet

MAX_AGE: Final = timedelta(days=7)
"""Age from which a message is no longer news: after so long an outage players are left alone."""
DEFAULT_ZONE: Final = UTC
"""Zone of a player who has named none; it needs no database of time zones."""


class NotificationStatus(StrEnum):
    PENDING = "pending"
    HANDED_ON = "handed_on"
    SUPPRESSED = "suppressed"


class AttemptOutcome(StrEnum):
    """Outcome of one attempt to hand a notification on."""

    HANDED_ON = "handed_on"
    """Rendered and written to the outbox."""
    SUPPRESSED = "suppressed"
    POSTPONED = "postponed"
    FAILED = "failed"
    """Not rendered, by a fault of ours; tried again later."""


class Suppression(StrEnum):
    """Reason why a message is never sent."""

    EXCLUDED = "excluded"
    """The player is excluded or closed."""
    OPTED_OUT = "opted_out"
    TOO_OLD = "too_old"
    TOLD_BEFORE = "told_before"
    """The same was said of this referral before, such as a signup that is reported twice."""
    NO_LONGER_PENDING = "no_longer_pending"
    """The subject of a reminder has happened, has ended, or can no longer count."""
    CAMPAIGN_CLOSED = "campaign_closed"
    """The campaign of a reminder is paused or has ended: nobody is asked to hurry for it."""
    JURISDICTION = "jurisdiction"
    """Reminders are off where one of the two players has signed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """A player's choices; each has a default."""

    locale: str | None = None
    time_zone: tzinfo = DEFAULT_ZONE
    wants_messages: bool = True
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Knowledge about the player and the referral at the moment of sending."""

    now: datetime
    preferences: Preferences = Preferences()
    is_excluded: bool = False
    """True for a player who is excluded or closed."""
    was_told: bool = False
    is_pending: bool = True
    """False once the referral no longer waits for what the message names."""
    campaign_is_open: bool = True
    allows_reminders: bool = True
    """False where a jurisdiction of the two players forbids them."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not now: the player's quiet hours last until then."""

    until: datetime


def may_send(
    message: Message, circumstances: Circumstances, *, caused_at: datetime
) -> Suppression | Postponed | None:
    """Return why a message is not sent now, or None if it is."""
    reason = _suppression(message, circumstances, caused_at=caused_at)
    if reason is not None:
        return reason
    preferences = circumstances.preferences
    if preferences.quiet_hours is None:
        return None
    until = end_of_quiet(circumstances.now, preferences.quiet_hours, preferences.time_zone)
    return Postponed(until) if until else None


def _suppression(
    message: Message, circumstances: Circumstances, *, caused_at: datetime
) -> Suppression | None:
    is_reminder = message.kind in REMINDERS
    rules = (
        (Suppression.EXCLUDED, circumstances.is_excluded),
        (Suppression.OPTED_OUT, not circumstances.preferences.wants_messages),
        (Suppression.TOO_OLD, circumstances.now - caused_at.astimezone(UTC) > MAX_AGE),
        (Suppression.TOLD_BEFORE, circumstances.was_told),
        (Suppression.NO_LONGER_PENDING, is_reminder and not circumstances.is_pending),
        (Suppression.CAMPAIGN_CLOSED, is_reminder and not circumstances.campaign_is_open),
        (Suppression.JURISDICTION, is_reminder and not circumstances.allows_reminders),
    )
    return next((reason for reason, applies in rules if applies), None)


def are_reminders_off(
    listed: Collection[str], *, reader: str | None, players: Iterable[str]
) -> bool:
    """Return whether a list of ISO 3166 codes forbids a reminder about some players.

    `reader` is the jurisdiction of the one who would read it, `players` are those of both, as far
    as they are known. Where anything is listed, a reader at an unknown place is not reminded.
    """
    if not listed:
        return False
    return reader is None or any(overlap(one, place) for one in listed for place in players)
