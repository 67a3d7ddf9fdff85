"""Handing on: each message that is due is decided upon, rendered, and written to the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import insert, select, text

from db import outbox
from db.clock import database_now
from db.engine import Session
from db.tables import NotificationAttempt, NotificationRow
from domain.money import Money
from domain.notifications.messages import Message
from domain.notifications.sending import (
    AttemptOutcome,
    NotificationStatus,
    Postponed,
    Suppression,
    may_send,
)
from referrals.notifications.knowledge import Knowledge, load_knowledge
from referrals.notifications.languages import choose_language
from referrals.notifications.texts import render
from referrals.notifications.writing import message_from

MIN_RETRY_DELAY: Final = timedelta(seconds=30)
MAX_RETRY_DELAY: Final = timedelta(hours=1)
"""Bounds the wait before a message is tried again that could not be rendered."""
_FAULTS: Final = (ValueError, LookupError, TypeError)
"""Faults of one message, such as content that a later release wrote."""

# The first in the order of its index: `exists` would do with any row, and a plan that was made
# while many waited would look for one among all that were ever there.
IS_DUE: Final = text("""
    select (select due_at <= clock_timestamp() from notifications
             where status = 'pending' order by due_at, seq limit 1)
""")
"""Query whether a message is due."""
_SET_STATUS: Final = text("""
    update notifications
       set status = tried.status, due_at = coalesce(tried.due_at, notifications.due_at)
      from unnest(
            cast(:ids as uuid[]), cast(:statuses as text[]), cast(:due_ats as timestamptz[])
           ) as tried (id, status, due_at)
     where notifications.id = tried.id
""")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to hand a notification on, and what is to be written of it."""

    notification_id: UUID
    outcome: AttemptOutcome
    reason: str | None = None
    locale: str | None = None
    due_at: datetime | None = None
    """Time of the next attempt; None for one that is done."""
    payload: dict[str, Any] | None = None
    """The notification as it is handed on."""

    @property
    def status(self) -> NotificationStatus:
        return _STATUSES.get(self.outcome, NotificationStatus.PENDING)


_STATUSES: Final = {
    AttemptOutcome.HANDED_ON: NotificationStatus.HANDED_ON,
    AttemptOutcome.SUPPRESSED: NotificationStatus.SUPPRESSED,
}


async def hand_on_due(
    session: Session, *, limit: int, no_reminders_in: tuple[str, ...] = ()
) -> Sequence[AttemptOutcome]:
    """Hand on up to `limit` due messages in their order; return what became of each.

    `no_reminders_in` lists jurisdictions in which nobody is reminded, whatever a campaign says.
    """
    now = await database_now(session)
    query = (
        select(NotificationRow)
        .where(NotificationRow.status == NotificationStatus.PENDING, NotificationRow.due_at <= now)
        .order_by(NotificationRow.due_at, NotificationRow.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.scalars(query)).all()
    if not rows:
        return ()
    known = await load_knowledge(session, rows, now=now, no_reminders_in=no_reminders_in)
    attempts = [_attempt(row, known) for row in rows]
    await _record(session, attempts, at=now)
    return [attempt.outcome for attempt in attempts]


def _attempt(row: NotificationRow, known: Knowledge) -> Attempt:
    try:
        message = message_from(row.message)
        circumstances = known.circumstances_of(row, message)
        refusal = may_send(message, circumstances, caused_at=row.caused_at)
        if refusal is None:
            return _hand_on(row, message, known)
    except _FAULTS as fault:
        return _fail(row, fault, now=known.now)
    return _refuse(row, refusal)


def _refuse(row: NotificationRow, refusal: Suppression | Postponed) -> Attempt:
    if isinstance(refusal, Postponed):
        return Attempt(
            notification_id=row.id, outcome=AttemptOutcome.POSTPONED, due_at=refusal.until
        )
    return Attempt(notification_id=row.id, outcome=AttemptOutcome.SUPPRESSED, reason=refusal)


def _fail(row: NotificationRow, fault: Exception, *, now: datetime) -> Attempt:
    # Its delay doubles, because each is as long as the message has been waiting.
    delay = min(max(now - row.created_at, MIN_RETRY_DELAY), MAX_RETRY_DELAY)
    reason = type(fault).__name__
    log.error("notification_not_rendered", notification_id=str(row.id), error=reason)
    return Attempt(
        notification_id=row.id, outcome=AttemptOutcome.FAILED, reason=reason, due_at=now + delay
    )


def _hand_on(row: NotificationRow, message: Message, known: Knowledge) -> Attempt:
    preferences = known.preferences_of(row.player_id)
    language = choose_language(preferences.locale, known.signup_locale(row.player_id))
    content = render(message, language, zone=preferences.time_zone, now=known.now)
    payload = {
        "notification_id": str(row.id),
        "player_id": row.player_id,
        "referral_id": str(row.referral_id),
        "kind": row.kind.value,
        "locale": language.tag,
        "subject": content.subject,
        "body": content.body,
        "amount": _one_of(message.cash),
        "bonus": _one_of(message.bonuses),
        "created_at": known.now.isoformat(),
    }
    known.note_told(row)
    return Attempt(
        notification_id=row.id,
        outcome=AttemptOutcome.HANDED_ON,
        locale=language.tag,
        payload=payload,
    )


def _one_of(amounts: Sequence[Money]) -> dict[str, Any] | None:
    """Return the amount of a message about one, as JSON; a text may list several."""
    if len(amounts) != 1:
        return None
    (amount,) = amounts
    return {"minor": amount.minor, "currency": amount.currency}


async def _record(session: Session, attempts: Sequence[Attempt], *, at: datetime) -> None:
    payloads = [attempt.payload for attempt in attempts if attempt.payload is not None]
    await outbox.write_notifications(session, payloads)
    await session.execute(
        insert(NotificationAttempt),
        [
            {
                "notification_id": attempt.notification_id,
                "at": at,
                "outcome": attempt.outcome,
                "reason": attempt.reason,
                "locale": attempt.locale,
                "postponed_until": attempt.due_at,
            }
            for attempt in attempts
        ],
    )
    await session.execute(
        _SET_STATUS,
        {
            "ids": [attempt.notification_id for attempt in attempts],
            "statuses": [attempt.status.value for attempt in attempts],
            "due_ats": [attempt.due_at for attempt in attempts],
        },
    )
