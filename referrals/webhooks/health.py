"""Health of webhooks, for metrics: how many fail, and how long the oldest delivery waits."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

_HEALTH: Final = text("""
    select
        count(*) filter (where disabled_at is null and failing_since is null) as succeeding,
        count(*) filter (where disabled_at is null and failing_since is not null) as failing,
        count(*) filter (where disabled_at is not null) as disabled,
        coalesce(max(extract(epoch from clock_timestamp() - waiting.since)), 0) as oldest_s
    from webhooks w
    left join lateral (
        select min(d.due_since) as since from webhook_deliveries d
        where d.webhook_id = w.id and d.status = 'pending' and w.disabled_at is null
    ) waiting on true
    where w.deleted_at is null
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth:
    """Numbers of webhooks by state, and the age in seconds of the oldest delivery that waits."""

    succeeding: int
    failing: int
    disabled: int
    oldest_s: float


async def load_health(session: ReadSession) -> WebhookHealth:
    row = (await session.execute(_HEALTH)).one()
    return WebhookHealth(
        succeeding=row.succeeding,
        failing=row.failing,
        disabled=row.disabled,
        oldest_s=float(row.oldest_s),
    )
