"""Events become deliveries: one for each webhook that asks for the event's type."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, text

from db.engine import ReadSession, Session
from db.outbox_reader import OutboxEvent
from db.tables import WebhookRow
from domain.derived_ids import derived_id
from domain.webhooks.event_types import is_asked_for

# Written in the order of events; a repeat of the same events writes nothing.
_WRITE: Final = text("""
    insert into webhook_deliveries (id, webhook_id, event_id, type, key, next_attempt_at)
    select new.id, webhook_id, event_id, type, key, clock_timestamp()
    from unnest(
        cast(:ids as uuid[]), cast(:webhook_ids as uuid[]), cast(:event_ids as uuid[]),
        cast(:types as text[]), cast(:keys as text[])
    ) with ordinality as new (id, webhook_id, event_id, type, key, step)
    order by step
    on conflict do nothing
""")


async def write_deliveries(session: Session, events: Sequence[OutboxEvent]) -> int:
    """Write the deliveries of some events, given in their order; return how many there are.

    A webhook receives what was written while it was enabled.
    """
    webhooks = await _enabled(session)
    new = [
        (derived_id(webhook.id, "delivery", str(event.id)), webhook, event)
        for event in events
        for webhook in webhooks
        if event.created_at >= webhook.active_since and is_asked_for(event.type, webhook.types)
    ]
    if new:
        values = {
            "ids": [id_ for id_, _, _ in new],
            "webhook_ids": [webhook.id for _, webhook, _ in new],
            "event_ids": [event.id for _, _, event in new],
            "types": [event.type for _, _, event in new],
            "keys": [event.key for _, _, event in new],
        }
        await session.execute(_WRITE, values)
    return len(new)


async def _enabled(session: ReadSession) -> Sequence[WebhookRow]:
    query = select(WebhookRow).where(
        WebhookRow.deleted_at.is_(None), WebhookRow.disabled_at.is_(None)
    )
    return (await session.scalars(query.order_by(WebhookRow.id))).all()
