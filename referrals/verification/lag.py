"""Work that is late, not wrong."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from db.outbox_lag import load_outbox_lag
from domain.lifecycle.referral import OPEN_STAGES
from referrals.verification.invariant import sql_list

_LAG: Final = text(f"""
    with undelivered as (
        select created_at as since from deliveries where acknowledged_at is null
        union all select heard_at from inbox
    )
    select count(*) as undelivered,
           coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float as oldest_s,
           (select count(*) from reviews where status = 'open') as awaiting_review,
           (select count(*) from referrals
             where stage in ({sql_list(OPEN_STAGES)})
               and until < coalesce(cast(:as_of as timestamptz), now())) as overdue
      from undelivered
""")  # noqa: S608 - built from constants of this code only


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Work that is late, not wrong."""

    undelivered: int
    unpublished: int
    """Events that the relay has not published; zero before it has begun, and under Debezium."""
    oldest_s: float
    awaiting_review: int
    overdue: int = 0
    """Open referrals whose deadline has passed, however little."""


async def load_lag(session: ReadSession, *, as_of: datetime | None = None) -> Lag:
    """Return what is late; deadlines are compared with `as_of`, or with the database's clock."""
    row = (await session.execute(_LAG, {"as_of": as_of})).one()
    return Lag(
        undelivered=row.undelivered,
        unpublished=(await load_outbox_lag(session)).events,
        oldest_s=row.oldest_s,
        awaiting_review=row.awaiting_review,
        overdue=row.overdue,
    )
