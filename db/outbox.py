"""Events for the outside, written in the transaction of the act that they tell of."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert

from db.engine import Session
from db.tables import OutboxRow, ReferralRow

SCHEMA_VERSION: Final = 1
AGGREGATE: Final = "referral"


async def write_referral_event(
    session: Session,
    *,
    event_id: UUID,
    type_: str,
    referral: ReferralRow,
    at: datetime,
    extra: dict[str, Any] | None = None,
) -> None:
    payload = payload_of(event_id=event_id, type_=type_, referral=referral, at=at, extra=extra)
    await publish(session, event_id=event_id, type_=type_, key=str(referral.id), payload=payload)


def payload_of(
    *,
    event_id: UUID,
    type_: str,
    referral: ReferralRow,
    at: datetime,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ids only: neither personal data nor anything a referrer may not know of the referee."""
    return {
        "event_id": str(event_id),
        "type": type_,
        "schema_version": SCHEMA_VERSION,
        "occurred_at": at.isoformat(),
        "referral_id": str(referral.id),
        "campaign": referral.campaign_slug,
        "stage": referral.stage.value,
        "referrer_id": referral.referrer_id,
        "referee_id": referral.referee_id,
        **(extra or {}),
    }


async def publish(
    session: Session, *, event_id: UUID, type_: str, key: str, payload: dict[str, Any]
) -> None:
    await session.execute(
        insert(OutboxRow).values(
            id=event_id,
            aggregatetype=AGGREGATE,
            aggregateid=key,
            type=type_,
            payload=payload,
            schema_version=SCHEMA_VERSION,
        )
    )
