"""Deliveries as their webhook's owner sees them, and asks for one again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from db import paging
from db.engine import ReadSession, Session
from db.paging import Page, PageRequest, Position
from db.tables import WebhookDelivery
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.webhooks import subscriptions
from referrals.webhooks.subscriptions import WebhookStatus

# An attempt that is under way goes on; its result counts.
_ASK_AGAIN: Final = text("""
    update webhook_deliveries
    set status = 'pending', failures = 0, due_since = clock_timestamp(), finished_at = null,
        next_attempt_at = greatest(clock_timestamp(), leased_until)
    where id = :delivery_id and webhook_id = :webhook_id
    returning id
""")


class DeliveryStatus(StrEnum):
    """The status of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class RetryRefusal(StrEnum):
    """The reason why a delivery is not sent again."""

    UNKNOWN_WEBHOOK = "unknown_webhook"
    UNKNOWN_DELIVERY = "unknown_delivery"
    WEBHOOK_DISABLED = "webhook_disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One event for one endpoint, with the last attempt's result."""

    delivery_id: UUID
    event_id: UUID
    type: str
    status: DeliveryStatus
    attempts: int
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None


async def list_deliveries(
    session: ReadSession, webhook_id: UUID, part: PageRequest, *, status: DeliveryStatus | None
) -> Page[DeliveryView]:
    """Return a page of a webhook's deliveries, newest first."""
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    query = paging.newest_first(query, part, at=WebhookDelivery.created_at, id_=WebhookDelivery.id)
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, part, lambda row: Position(row.created_at, row.id))
    return page.map(_views)


async def ask_again(
    session: Session, webhook_id: UUID, delivery_id: UUID, actor: Actor
) -> DeliveryView | RetryRefusal:
    """Make a delivery due at once, whatever became of it; it keeps its `webhook-id`."""
    webhook = await subscriptions.find(session, webhook_id)
    if webhook is None:
        return RetryRefusal.UNKNOWN_WEBHOOK
    if webhook.status is WebhookStatus.DISABLED:
        return RetryRefusal.WEBHOOK_DISABLED
    values: dict[str, Any] = {"webhook_id": webhook_id, "delivery_id": delivery_id}
    if await session.scalar(_ASK_AGAIN, values) is None:
        return RetryRefusal.UNKNOWN_DELIVERY
    await audit.write(
        session,
        actor,
        action="webhook.retry",
        subject=f"webhook:{webhook_id}",
        details={"delivery_id": str(delivery_id)},
    )
    return _view(await session.get_one(WebhookDelivery, delivery_id))


def _views(rows: Sequence[WebhookDelivery]) -> Sequence[DeliveryView]:
    return [_view(row) for row in rows]


def _view(row: WebhookDelivery) -> DeliveryView:
    is_pending = row.status == DeliveryStatus.PENDING
    return DeliveryView(
        delivery_id=row.id,
        event_id=row.event_id,
        type=row.type,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        created_at=row.created_at,
        last_attempt_at=row.last_attempt_at,
        next_attempt_at=row.next_attempt_at if is_pending else None,
        last_status=row.last_status,
        last_error=row.last_error,
    )
