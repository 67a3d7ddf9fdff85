"""Upkeep of deliveries: those of disabled webhooks are given up, old ones are deleted."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from db.engine import Session

KEPT_FOR: Final = timedelta(days=30)
"""Time for which a finished delivery can be listed and asked for again."""
BATCH_SIZE: Final = 1000

# What was written before a webhook was disabled is not sent once it is enabled again. The first
# condition on `w` leaves out webhooks that were never disabled, with all that waits for them.
_GIVE_UP: Final = text("""
    with ended as (
        select d.id from webhooks w join webhook_deliveries d on d.webhook_id = w.id
        where d.status = 'pending'
        and (
            w.disabled_at is not null or w.deleted_at is not null or w.active_since > w.created_at
        )
        and (
            w.disabled_at is not null or w.deleted_at is not null or d.due_since < w.active_since
        )
        and coalesce(d.leased_until, '-infinity') < clock_timestamp()
        limit :limit
        for no key update of d skip locked
    )
    update webhook_deliveries d
    set status = 'failed', finished_at = clock_timestamp(), leased_until = null
    from ended where d.id = ended.id
""")
DELETE: Final = text("""
    delete from webhook_deliveries where id = any(array(
        select id from webhook_deliveries
        where finished_at < clock_timestamp() - cast(:kept_for as interval)
        order by finished_at limit :limit
        for no key update skip locked
    ))
""")


async def tidy(session: Session) -> bool:
    """Do one batch of upkeep and return whether there may be more."""
    given_up = await session.execute(_GIVE_UP, {"limit": BATCH_SIZE})
    deleted = await session.execute(DELETE, {"limit": BATCH_SIZE, "kept_for": KEPT_FOR})
    return BATCH_SIZE in {given_up.rowcount, deleted.rowcount}  # type: ignore[attr-defined]
