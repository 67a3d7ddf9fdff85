"""Vital signs for monitoring, by cheap statements: what waits, and what the last day brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession

MAX_COUNTED: Final = 10_000
"""Bounds how much of a backlog is counted: more is too much, however much."""

# What waits for its next attempt waits, too. The oldest of each kind is one step into the index of
# what waits; a kind is counted as a range, because by an equal one the planner would look for as
# many rows among all that were ever delivered, in the order of their ids.
LANES: Final = text("""
    with recursive kinds as (
        (select kind, created_at as oldest from deliveries
          where acknowledged_at is null order by kind, id limit 1)
        union all
        select later.kind, later.oldest
          from kinds cross join lateral (
              select kind, created_at as oldest from deliveries
               where acknowledged_at is null and kind > kinds.kind order by kind, id limit 1
          ) as later
    ), lanes as (
        select 'routing' as lane, count(*) as waiting, min(heard_at) as oldest
          from (select heard_at from inbox order by id limit :limit) as unrouted
        union all
        select case kind when 'invitation' then 'invitations' else 'updates' end,
               counted.waiting, oldest
          from kinds cross join lateral (
              select count(*) as waiting from (
                  select from deliveries
                   where acknowledged_at is null and kind between kinds.kind and kinds.kind
                   order by kind, id limit :limit) as first
          ) as counted
        union all
        values ('updates', 0, cast(null as timestamptz)), ('invitations', 0, null)
    )
    select lane, sum(waiting)::bigint as waiting,
           greatest(extract(epoch from clock_timestamp() - min(oldest)), 0)::float as age_s
      from lanes group by lane
""")
_VERIFIED: Final = text("""
    select (select extract(epoch from clock_timestamp() - max(finished_at))::float
              from verify_runs where ok) as green_age_s,
           (select ok from verify_runs order by id desc limit 1) as newest_ok
""")
_CASES: Final = text("""
    select (select count(*) from cases where status = 'open') as open,
           (select count(*) from cases where status = 'open' and escalated_at is not null)
           as escalated,
           (select count(*) from cases
             where status = 'open' and due_at < clock_timestamp() - interval '1 minute') as overdue,
           (select count(*) from reviews
             where status = 'open' and case_id is null
               and opened_at < clock_timestamp() - interval '1 minute') as unfiled
""")
# The time at which a row was written: its index is small, and a day of it is read from the end.
_STAGES: Final = text("""
    select stage, count(*) as number from timeline
     where recorded_at >= now() - interval '1 day' group by stage
""")
_VERDICTS: Final = text("""
    select verdict, count(*) as number from assessments
     where assessed_at >= now() - interval '1 day' group by verdict
""")
_MOVED: Final = text("""
    select movement, currency, sum(amount_minor)::bigint as minor from transfers
     where recorded_at >= now() - interval '1 day' group by movement, currency
""")
_CONVERTED: Final = text("""
    select percentile_cont(0.5) within group (order by taken_s) as median_s,
           percentile_cont(0.9) within group (order by taken_s) as p90_s
      from (
        select greatest(extract(epoch from timeline.at - referrals.invited_at), 0)::float as taken_s
          from timeline join referrals on referrals.id = timeline.referral_id
         where timeline.recorded_at >= now() - interval '1 day' and timeline.stage = 'REWARDED'
      ) as converted
""")
_BUDGETS: Final = text("""
    select campaigns.slug as campaign, campaign_budgets.currency, free_minor as free,
           coalesce((
               select sum(case movement when 'fund' then amount_minor else -amount_minor end)
                 from transfers
                where transfers.campaign_id = campaigns.id
                  and transfers.currency = campaign_budgets.currency
                  and movement in ('fund', 'defund')), 0)::bigint as funded
      from campaign_budgets join campaigns on campaigns.id = campaign_budgets.campaign_id
     where campaigns.status in ('published', 'paused')
     order by campaigns.slug, campaign_budgets.currency limit 200
""")


@dataclass(frozen=True, slots=True)
class LaneLag:
    """Facts or deliveries of one lane that wait, and the age of the oldest."""

    waiting: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Verified:
    """Age of the last green verification, None before the first; and the outcome of the newest."""

    green_age_s: float | None
    is_red: bool


@dataclass(frozen=True, slots=True)
class FreeBudget:
    campaign: str
    currency: str
    funded_minor: int
    free_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """Counts and sums of the last 24 hours, by the time at which a row was written."""

    stages: Mapping[str, int]
    verdicts: Mapping[str, int]
    moved_minor: Mapping[tuple[str, str], int]
    """Amounts by movement and currency."""
    median_s: float | None
    """Time from the invitation to the credit."""
    p90_s: float | None


async def load_lanes(session: ReadSession) -> dict[str, LaneLag]:
    rows = await session.execute(LANES, {"limit": MAX_COUNTED})
    return {row.lane: LaneLag(min(row.waiting, MAX_COUNTED), row.age_s or 0.0) for row in rows}


async def load_verified(session: ReadSession) -> Verified:
    row = (await session.execute(_VERIFIED)).one()
    return Verified(row.green_age_s, is_red=row.newest_ok is False)


async def load_cases(session: ReadSession) -> dict[str, int]:
    """Return the number of open cases, of late ones among them, and of reviews in no case."""
    return dict((await session.execute(_CASES)).mappings().one())


async def load_last_day(session: ReadSession) -> LastDay:
    converted = (await session.execute(_CONVERTED)).one()
    return LastDay(
        stages={row.stage: row.number for row in await session.execute(_STAGES)},
        verdicts={row.verdict: row.number for row in await session.execute(_VERDICTS)},
        moved_minor={
            (row.movement, row.currency): row.minor for row in await session.execute(_MOVED)
        },
        median_s=converted.median_s,
        p90_s=converted.p90_s,
    )


async def load_free_budgets(session: ReadSession) -> list[FreeBudget]:
    """Return the budgets of up to 200 campaigns that are published or paused."""
    rows = await session.execute(_BUDGETS)
    return [FreeBudget(row.campaign, row.currency, row.funded, row.free) for row in rows]
