"""Budgets: what each campaign was given, what is spent, held and free, and how long it lasts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from referrals.reports.span import Span, Sum

PACE_PERIOD: Final = timedelta(days=14)
"""Time over which the pace of spending is measured, where the report names none."""
_ONE_DAY: Final = timedelta(days=1)
_LONGEST_FORECAST_DAYS: Final = 3660
"""Bound of a forecast; a budget that lasts longer than ten years has none."""

# Every movement of a campaign's money, in the terms of its accounts: `spent` is what has left the
# campaign, of which the part in `owed` is a debt of players to it.
_BUDGETS: Final = text("""
    with moved as (
        select campaign_id, currency,
               sum(case movement when 'fund' then amount_minor when 'defund' then -amount_minor
                   else 0 end) as budget,
               sum(case movement when 'hold' then amount_minor
                   when 'release' then -amount_minor when 'void' then -amount_minor
                   else 0 end) as held,
               sum(case when movement in ('release', 'reinstate') then amount_minor
                   when movement in ('reverse', 'recover') then -amount_minor
                   else 0 end) as spent,
               sum(case movement when 'owe' then amount_minor
                   when 'recover' then -amount_minor when 'forgive' then -amount_minor
                   else 0 end) as owed,
               coalesce(sum(case when movement in ('release', 'reinstate') then amount_minor
                   when movement in ('reverse', 'recover') then -amount_minor
                   else 0 end) filter (where at >= :since and at < :until), 0) as paced
          from transfers where campaign_id is not null
           and (cast(:campaign as text) is null
                or campaign_id = (select id from campaigns where slug = :campaign))
         group by campaign_id, currency
    ), free as (
        select campaign_id, currency, free_minor as free from campaign_budgets
    )
    select campaigns.slug as campaign, coalesce(moved.currency, campaigns.currency) as currency,
           coalesce(budget, 0)::bigint as budget, coalesce(spent, 0)::bigint as spent,
           coalesce(held, 0)::bigint as held, coalesce(free, 0)::bigint as free,
           coalesce(owed, 0)::bigint as owed, coalesce(paced, 0)::bigint as paced
      from campaigns
      left join moved on moved.campaign_id = campaigns.id
      left join free on free.campaign_id = campaigns.id and free.currency = moved.currency
     where (campaigns.status <> 'draft' or moved.campaign_id is not null)
       and (cast(:campaign as text) is null or campaigns.slug = :campaign)
     order by campaigns.slug, 2
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One campaign's money in one currency: the budget is what is spent, held and free."""

    campaign: str
    budget: Sum
    spent: Sum
    held: Sum
    free: Sum
    owed: Sum
    """The part of `spent` that players owe, because they had spent what was taken back."""
    per_day: Sum
    """Mean pace of spending over the report's time."""
    exhausted_at: datetime | None
    """Time at which nothing is free any more at this pace; None where that is not in sight."""


async def load_budgets(session: ReadSession, span: Span, *, now: datetime) -> list[Budget]:
    """Return each campaign's budget as it is now, with the pace of spending in the span."""
    rows = await session.execute(_BUDGETS, span.parameters)
    days = max((min(span.until, now) - span.since) / _ONE_DAY, 1.0)
    budgets = []
    for row in rows:
        per_day = round(row.paced / days)
        budgets.append(
            Budget(
                campaign=row.campaign,
                budget=Sum(row.budget, row.currency),
                spent=Sum(row.spent, row.currency),
                held=Sum(row.held, row.currency),
                free=Sum(row.free, row.currency),
                owed=Sum(row.owed, row.currency),
                per_day=Sum(per_day, row.currency),
                exhausted_at=_exhausted_at(row.free, row.paced / days, now=now),
            )
        )
    return budgets


def _exhausted_at(free_minor: int, per_day: float, *, now: datetime) -> datetime | None:
    if per_day <= 0:
        return None
    days = free_minor / per_day
    return now + timedelta(days=days) if days <= _LONGEST_FORECAST_DAYS else None
