"""Health of webhooks, for metrics: how many fail, and how late the oldest due delivery is."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

_HEALTH: Final = text("""
    select
        count(*) filter (where disabled_at is null and failing_since is null) as succeeding,
        count(*) filter (where disabled_at is null and failing_since is not null) as failing,
        count(*) filter (where disabled_at is not null) as disabled,
        greatest(max(extract(epoch from clock_timestamp() - due.since)), 0) as late_s
    from webhooks w
    left join lateral (
        select min(d.next_attempt_at) as since from webhook_deliveries d
        where d.webhook_id = w.id and d.status = 'pending' and w.disabled_at is null
    ) due on true
    where w.deleted_at is null
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth:
    """Numbers of webhooks by state, and the seconds since which the oldest delivery is due."""

    succeeding: int
    failing: int
    disabled: int
    late_s: float


async def load_health(session: ReadSession) -> WebhookHealth:
    row = (await session.execute(_HEALTH)).one()
    return WebhookHealth(
        succeeding=row.succeeding,
        failing=row.failing,
        disabled=row.disabled,
        late_s=float(row.late_s),
    )
