"""The outbox: events for other services, written in the transaction that causes them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB, insert

from db.engine import Session
from db.tables import OutboxRow, ReferralRow
from domain.lifecycle.referral import Stage

SCHEMA_VERSION: Final = 2
"""Version of the events' fields, which are only ever added to; 1 was that of release 0.2."""
AGGREGATE: Final = "referral"
"""`aggregatetype` of the events of referrals, campaigns and webhooks."""
NOTIFICATIONS: Final = "notification"
"""`aggregatetype` of the messages for players."""
NOTIFICATION_TYPE: Final = "Notification"

PAYLOAD: Final = bindparam("payload", type_=JSONB)


class EventReferral(Protocol):
    """The fields of a referral that its events carry: of a row, or of one about to be inserted."""

    @property
    def id(self) -> UUID: ...

    @property
    def campaign_slug(self) -> str: ...

    @property
    def variant(self) -> str | None: ...

    @property
    def stage(self) -> Stage: ...

    @property
    def referrer_id(self) -> str: ...

    @property
    def referee_id(self) -> str | None: ...


def insert_of_referral(more: str = "") -> str:
    """Return SQL that inserts an event of a referral, with the number of its campaign's version.

    `more` is SQL of further fields of its payload. Its parameters are those of `values_of`.
    """
    payload = ":payload || jsonb_build_object('campaign_version', version)"
    return f"""
        insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
        select :event_id, :aggregate, :key, :type, {payload}{more and f" || ({more})"},
               :schema_version
          from campaign_versions where id = :version_id
    """  # noqa: S608 - made of constants of ours


_WRITE_OF_REFERRAL: Final = text(f"{insert_of_referral()} on conflict do nothing").bindparams(
    PAYLOAD
)
_WRITE: Final = text("""
    insert into outbox (id, aggregatetype, aggregateid, type, payload, schema_version)
    values (:event_id, :aggregate, :key, :type, :payload, :schema_version)
    on conflict do nothing
""").bindparams(PAYLOAD)


def payload_of(
    *,
    event_id: UUID,
    type_: str,
    referral: EventReferral,
    at: datetime,
    campaign_version: int | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Return an event's payload: ids only, no personal data; null reasons where it has none.

    `insert_of_referral` sets the number of the campaign's version.
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
        "event_id": event_id,
        "aggregate": aggregate,
        "key": key,
        "type": type_,
        "payload": payload,
        "schema_version": SCHEMA_VERSION,
    }
    await session.execute(_WRITE, values)


async def write_of_referral(
    session: Session, referral: ReferralRow, *, event_id: UUID, type_: str, payload: dict[str, Any]
) -> None:
    """Write an event of a referral with its campaign's version, unless it is written already."""
    values = values_of(referral, event_id=event_id, type_=type_, payload=payload)
    await session.execute(_WRITE_OF_REFERRAL, values)


def values_of(
    referral: ReferralRow, *, event_id: UUID, type_: str, payload: dict[str, Any]
) -> dict[str, Any]:
    """Return the parameters of `insert_of_referral`."""
    return {
        "event_id": event_id,
        "aggregate": AGGREGATE,
        "key": str(referral.id),
        "type": type_,
        "payload": payload,
        "schema_version": SCHEMA_VERSION,
        "version_id": referral.campaign_version_id,
    }
