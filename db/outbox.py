"""The outbox: events for other services, written in the transaction that causes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import OutboxRow, ReferralRow

SCHEMA_VERSION: Final = 2
"""Version of the events' fields, which are only ever added to; 1 was that of release 0.2."""
AGGREGATE: Final = "referral"
"""`aggregatetype` of the events of referrals, campaigns and webhooks."""
NOTIFICATIONS: Final = "notification"
"""`aggregatetype` of the messages for players."""
NOTIFICATION_TYPE: Final = "Notification"


def payload_of(
    *,
    event_id: UUID,
    type_: str,
    referral: ReferralRow,
    at: datetime,
    campaign_version: int | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Return an event's payload: ids only, no personal data; null reasons where it has none.

    A statement that writes it may add the campaign's version itself.
    """
    return {
        "event_id": str(event_id),
        "type": type_,
        "schema_version": SCHEMA_VERSION,
        "occurred_at": at.isoformat(),
        "referral_id": str(referral.id),
        "campaign": referral.campaign_slug,
        "campaign_version": campaign_version,
        "variant": referral.variant,
        "stage": referral.stage.value,
        "referrer_id": referral.referrer_id,
        "referee_id": referral.referee_id,
        "reason_code": reason_code,
        "reason": reason,
    }


async def write_notifications(session: Session, payloads: Sequence[dict[str, Any]]) -> None:
    """Write messages to players; they go to a topic of their own, in each player's order."""
    rows = [
        {
            "id": UUID(payload["notification_id"]),
            "aggregatetype": NOTIFICATIONS,
            "aggregateid": payload["player_id"],
            "type": NOTIFICATION_TYPE,
            "payload": payload,
            "schema_version": SCHEMA_VERSION,
        }
        for payload in payloads
    ]
    if rows:
        await session.execute(insert(OutboxRow).values(rows).on_conflict_do_nothing())


async def write_event(
    session: Session,
    *,
    event_id: UUID,
    type_: str,
    key: str,
    payload: dict[str, Any],
    aggregate: str = AGGREGATE,
) -> None:
    """Write an event, unless one with its id is written already."""
    values = {
        "id": event_id,
        "aggregatetype": aggregate,
        "aggregateid": key,
        "type": type_,
        "payload": payload,
        "schema_version": SCHEMA_VERSION,
    }
    await session.execute(insert(OutboxRow).values(values).on_conflict_do_nothing())
