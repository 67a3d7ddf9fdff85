"""Messages to the players of a referral, as support reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import NotificationAttempt, NotificationRow
from domain.notifications.messages import Kind
from domain.notifications.sending import NotificationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """One message with its latest attempt, which is None before the first."""

    player_id: str
    kind: Kind
    status: NotificationStatus
    caused_at: datetime
    due_at: datetime
    attempted_at: datetime | None
    reason: str | None
    locale: str | None


async def messages_of_referral(
    session: ReadSession, referral_id: UUID, *, limit: int
) -> Sequence[MessageView]:
    """Return up to `limit` messages, newest first."""
    latest = (
        select(NotificationAttempt)
        .where(NotificationAttempt.notification_id == NotificationRow.id)
        .order_by(NotificationAttempt.id.desc())
        .limit(1)
        .lateral()
    )
    query = (
        select(
            NotificationRow.player_id,
            NotificationRow.kind,
            NotificationRow.status,
            NotificationRow.caused_at,
            NotificationRow.due_at,
            latest.c.at.label("attempted_at"),
            latest.c.reason,
            latest.c.locale,
        )
        .outerjoin(latest, latest.c.notification_id == NotificationRow.id)
        .where(NotificationRow.referral_id == referral_id)
        .order_by(NotificationRow.seq.desc())
        .limit(limit)
    )
    return [MessageView(**row) for row in (await session.execute(query)).mappings()]
