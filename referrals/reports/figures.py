"""Single figures: how fast friends convert, what fraud and reversals take, what a friend costs."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import ReadSession
from referrals.reports.happenings import COST, SOURCES, within_span
from referrals.reports.span import Span, Sum

BUCKETS_S: Final = (60, 3600, 86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400, 30 * 86_400)
"""Upper bounds of the distribution of times, in seconds; the last bucket has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToConversion:
    """Seconds from an invitation to what qualifies; None where nobody converted."""

    conversions: int
    median_s: float | None
    p90_s: float | None
    distribution: tuple[tuple[int | None, int], ...]
    """Conversions up to each bound of BUCKETS_S, and beyond the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudFigures:
    """Referrals by the gravest verdict of the time, and what people decided in it."""

    assessed: int
    held: int
    blocked: int
    approved: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalFigures:
    """Referrals credited and taken back for the first time, and the money that moved back."""

    rewarded: int
    reversed: int
    amount: tuple[Sum, ...]
    reinstated: tuple[Sum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFigures:
    """The net cost of rewards, and the number of referees with a qualifying deposit."""

    cost: tuple[Sum, ...]
    new_depositors: int


@dataclass(frozen=True, slots=True)
class TopReferrer:
    player_id: str
    rewarded: int


_CONVERSIONS: Final = f"""
    select greatest(extract(epoch from qualified.at - referrals.invited_at), 0)::float as taken_s
      from ({within_span(SOURCES["qualified"])}) as qualified
      join referrals on referrals.id = qualified.referral_id
"""
_TIME_TO_CONVERSION: Final = text(f"""
    select count(*) as conversions,
           percentile_cont(0.5) within group (order by taken_s) as median_s,
           percentile_cont(0.9) within group (order by taken_s) as p90_s
      from ({_CONVERSIONS}) as conversions
""")
_DISTRIBUTION: Final = text(f"""
    select width_bucket(taken_s, cast(:bounds as float[])) as bucket, count(*) as number
      from ({_CONVERSIONS}) as conversions group by 1
""")
_FRAUD: Final = text("""
    select count(*) as assessed,
           count(*) filter (where gravest = 1) as held,
           count(*) filter (where gravest = 2) as blocked,
           (select count(*) from reviews join referrals on referrals.id = reviews.referral_id
             where decision = 'approve' and decided_at >= :since and decided_at < :until
               and (cast(:campaign as text) is null or campaign_slug = :campaign)) as approved,
           (select count(*) from reviews join referrals on referrals.id = reviews.referral_id
             where decision = 'reject' and decided_at >= :since and decided_at < :until
               and (cast(:campaign as text) is null or campaign_slug = :campaign)) as rejected
      from (
        select max(case verdict when 'block' then 2 when 'review' then 1 else 0 end) as gravest
          from assessments join referrals on referrals.id = assessments.referral_id
         where assessed_at >= :since and assessed_at < :until
           and (cast(:campaign as text) is null or campaign_slug = :campaign)
         group by assessments.referral_id
      ) as judged
""")
_COUNT: Final = {
    name: text(f"select count(*) from ({within_span(source)}) as counted")
    for name, source in SOURCES.items()
}
_COST: Final = text(f"""
    select currency, sum(minor)::bigint as minor
      from ({within_span(COST)}) as moved group by 1 order by 1
""")
# A credit may be lowered or raised by its own act, before anybody is told of it; and a wallet is
# asked for less than was reserved. Neither was given to a player, or taken back from one.
_MOVED: Final = text("""
    select transfers.currency,
           coalesce(sum(amount_minor) filter (where movement in ('reverse', 'owe')), 0)::bigint
               as taken_back,
           coalesce(sum(amount_minor) filter (where movement in ('reinstate', 'forgive')), 0)
               ::bigint as given_again
      from transfers join campaigns on campaigns.id = transfers.campaign_id
     where movement in ('reverse', 'owe', 'reinstate', 'forgive')
       and at >= :since and at < :until
       and (cast(:campaign as text) is null or campaigns.slug = :campaign)
       and not (movement = 'reverse' and reference is not null)
       and not exists (
           select from transfers as credits
            where credits.reward_id = transfers.reward_id and credits.movement = 'release'
              and credits.reference is null and credits.recorded_at = transfers.recorded_at)
     group by 1 order by 1
""")
_TOP_REFERRERS: Final = text(f"""
    select referrals.referrer_id as player_id, count(*) as rewarded
      from ({within_span(SOURCES["rewarded"])}) as rewarded
      join referrals on referrals.id = rewarded.referral_id
     group by 1 order by 2 desc, 1 limit :limit
""")


async def load_time_to_conversion(session: ReadSession, span: Span) -> TimeToConversion:
    """Measure from the invitation to the event that qualifies, for those that did in the time."""
    row = (await session.execute(_TIME_TO_CONVERSION, span.parameters)).one()
    bounds = {"bounds": [0.0, *map(float, BUCKETS_S)]}
    buckets = await session.execute(_DISTRIBUTION, span.parameters | bounds)
    counts = {found.bucket: found.number for found in buckets}
    return TimeToConversion(
        conversions=row.conversions,
        median_s=row.median_s,
        p90_s=row.p90_s,
        distribution=tuple(
            (bound, counts.get(bucket, 0))
            for bucket, bound in enumerate((*BUCKETS_S, None), start=1)
        ),
    )


async def load_fraud(session: ReadSession, span: Span) -> FraudFigures:
    row = (await session.execute(_FRAUD, span.parameters)).one()
    return FraudFigures(
        assessed=row.assessed,
        held=row.held,
        blocked=row.blocked,
        approved=row.approved,
        rejected=row.rejected,
    )


async def load_reversals(session: ReadSession, span: Span) -> ReversalFigures:
    moved = (await session.execute(_MOVED, span.parameters)).all()
    return ReversalFigures(
        rewarded=await _count(session, "rewarded", span),
        reversed=await _count(session, "reversed", span),
        amount=tuple(Sum(row.taken_back, row.currency) for row in moved),
        reinstated=tuple(Sum(row.given_again, row.currency) for row in moved),
    )


async def load_cost(session: ReadSession, span: Span) -> CostFigures:
    rows = await session.execute(_COST, span.parameters)
    return CostFigures(
        cost=tuple(Sum(row.minor, row.currency) for row in rows),
        new_depositors=await _count(session, "qualified", span),
    )


async def load_top_referrers(session: ReadSession, span: Span, *, limit: int) -> list[TopReferrer]:
    """Return the players with the most referrals that were credited for the first time."""
    rows = await session.execute(_TOP_REFERRERS, span.parameters | {"limit": limit})
    return [TopReferrer(row.player_id, row.rewarded) for row in rows]


async def _count(session: ReadSession, name: str, span: Span) -> int:
    return await session.scalar(_COUNT[name], span.parameters) or 0
