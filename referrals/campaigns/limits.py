"""Limits of rewards: what is used of each, who waits for one, and whether a referral fits."""

# ruff: noqa: S608 - the queries are built from constants of this code only

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from db.engine import ReadSession, Session
from db.locks import lock_key
from db.tables import Campaign, CampaignVersion, ReferralRow, Reward
from domain.campaigns.limits.decision import (
    Counted,
    Deferred,
    Fits,
    Limit,
    LimitOf,
    Refused,
    Used,
    decide,
)
from domain.campaigns.limits.periods import Calendar, Per, Period, TaxYearStart
from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.money import Money
from domain.rewards.computed import own_minor
from referrals.campaigns.versions import IS_CURRENT_VERSION, options_from, terms_from

MAX_AHEAD: Final = 100
"""Referrals waiting longer that are given their place first, in one decision."""


def own_minor_sql(minor: str) -> str:
    """Return the SQL of what an amount of the reward `w` counts in the campaign's own currency.

    As `own_minor` computes it: rounded up, and null for another currency without a conversion.
    """
    per_minor = "w.computation #>> '{conversion,own_per_minor}'"
    over = f"cast(split_part({per_minor}, '/', 1) as numeric)"
    under = f"coalesce(cast(nullif(split_part({per_minor}, '/', 2), '') as numeric), 1)"
    # Exact, where a division of numerics is rounded before `ceil` sees it.
    worth = f"div({minor} * {over} + {under} - 1, {under})"
    return f"case when w.currency = :currency then {minor} else {worth} end"


# A limit of a referrer counts the rewards to that player; one of a campaign counts both sides. What
# the wallet may still reinstate has its place already.
_USED: Final = f"""
    select count(*), coalesce(sum({own_minor_sql("greatest(w.amount_minor, w.due_minor)")}), 0)
      from rewards w
     where w.campaign_version_id in
           (select id from campaign_versions where campaign_id = :campaign_id)
       and w.counted_at >= coalesce(:starts_at, '-infinity'::timestamptz)
       and w.counted_at < coalesce(:until, 'infinity'::timestamptz)
       and w.referral_id is distinct from :referral_id
       and (w.status in ('HELD', 'ISSUED') or w.status = 'REVERSED' and exists (
               select from holds h where h.referral_id = w.referral_id
                  and h.reason = 'payment_pending' and h.cleared_at is null))
"""
_USED_OF: Final = {
    LimitOf.CAMPAIGN: text(_USED),
    LimitOf.REFERRER: text(f"{_USED} and w.reward_type = 'referrer' and w.player_id = :player_id"),
}
# Those that wait longer for the same limit. One that nobody has judged yet is behind all of them.
_AHEAD: Final = text(f"""
    select (select count(*) from rewards w
             where w.referral_id = r.id and (not :is_of_referrer or w.reward_type = 'referrer')),
           (select coalesce(sum({own_minor_sql("w.amount_minor")}), 0) from rewards w
             where w.referral_id = r.id and (not :is_of_referrer or w.reward_type = 'referrer'))
      from holds h join referrals r on r.id = h.referral_id
     where h.reason = 'limit' and h.cleared_at is null and :name = any(h.detail)
       and r.campaign_id = :campaign_id and r.id <> :referral_id
       and (not :is_of_referrer or r.referrer_id = :player_id)
       and (h.since, r.id) < (coalesce((
               select m.since from holds m where m.referral_id = :referral_id
                  and m.reason = 'limit' and m.cleared_at is null), 'infinity'), :referral_id)
     order by h.since, r.id
     limit :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A limit of a campaign's live version, as it stands for one player."""

    limit: Limit
    until: datetime | None
    used: Used


async def judge(
    session: Session,
    referral: ReferralRow,
    terms: Terms,
    rewards: Sequence[Reward],
    amounts: Mapping[RewardKey, int],
    *,
    at: datetime,
    tax_year_start: TaxYearStart,
    stand: bool = False,
) -> Fits | Deferred | Refused:
    """Decide whether the rewards of a locked referral fit now, after those that wait longer.

    Rewards that `stand` keep their place in the periods in which they were counted, and need what
    they rise by; in a later period they need a place for all of it.

    A referrer's rewards are counted under their player's lock, which the act holds, and a
    campaign's under a lock of their own, until the transaction ends.
    """
    limits = terms.rules.limits
    if any(limit.of is LimitOf.CAMPAIGN for limit in limits):
        await lock_key(session, f"limits:{referral.campaign_id}")
    calendar = await _calendar(session, referral.campaign_version_id, tax_year_start)
    judged: list[tuple[Counted, Used]] = []
    for limit in limits:
        period = calendar.period(limit.per, at)
        keeps = stand and all(period.holds(reward.counted_at) for reward in rewards)
        used = await _used(
            session,
            limit,
            period,
            campaign_id=referral.campaign_id,
            player_id=referral.referrer_id,
            referral_id=None if keeps else referral.id,
        )
        counted = Counted(limit, period, used).behind(await _ahead(session, referral, limit))
        need = _rise_of(limit, rewards, amounts) if keeps else need_of(limit, rewards, amounts)
        judged.append((counted, need))
    return decide(judged)


def take_place(rewards: Sequence[Reward], *, at: datetime) -> None:
    """Count the rewards in the periods of `at`, for as long as they are HELD or ISSUED."""
    for reward in rewards:
        reward.counted_at = at


def need_of(limit: Limit, rewards: Sequence[Reward], amounts: Mapping[RewardKey, int]) -> Used:
    """Return what the rewards use of a limit: what is reserved, or `amounts` where that is more."""
    of_referrer = limit.of is LimitOf.REFERRER
    own = [r for r in rewards if not of_referrer or r.reward_type is RewardType.REFERRER]
    if limit.amount is None:
        return Used(len(own))
    currency = limit.amount.currency
    needed = (
        own_minor(
            r.computation, Money(max(r.amount_minor, amounts.get(r.key, 0)), r.currency), currency
        )
        for r in own
    )
    return Used(len(own), sum(needed))


def _rise_of(limit: Limit, rewards: Sequence[Reward], amounts: Mapping[RewardKey, int]) -> Used:
    """Return what counted rewards need beside what `_USED` counts of them."""
    counted = need_of(limit, rewards, {r.key: r.due_minor or 0 for r in rewards})
    return Used(0, max(0, need_of(limit, rewards, amounts).minor - counted.minor))


async def allowances(
    session: ReadSession, slug: str, player_id: str, *, at: datetime, tax_year_start: TaxYearStart
) -> Sequence[Allowance] | None:
    """Return the limits of a campaign's live version for a referrer; None for an unknown one."""
    query = select(Campaign, CampaignVersion).join(CampaignVersion, IS_CURRENT_VERSION)
    row = (await session.execute(query.where(Campaign.slug == slug))).one_or_none()
    if row is None:
        return None
    campaign, version = row
    zone = ZoneInfo(options_from(version.options).time_zone)
    calendar = Calendar(zone=zone, tax_year_start=tax_year_start, campaign_ends_at=campaign.ends_at)
    return await _standings(
        session, version, calendar, at=at, player_id=player_id, referral_id=None
    )


async def usage_of(
    session: ReadSession,
    referral: ReferralRow,
    version: CampaignVersion,
    *,
    at: datetime,
    tax_year_start: TaxYearStart,
) -> Sequence[Allowance]:
    """Return the limits of a version's terms as they stand for a referral, which is not counted."""
    calendar = await _calendar(session, version.id, tax_year_start)
    return await _standings(
        session,
        version,
        calendar,
        at=at,
        player_id=referral.referrer_id,
        referral_id=referral.id,
    )


async def _standings(
    session: ReadSession,
    version: CampaignVersion,
    calendar: Calendar,
    *,
    at: datetime,
    player_id: str,
    referral_id: UUID | None,
) -> Sequence[Allowance]:
    """Return how each limit of a version stands for a referrer, without one of their referrals."""
    found: list[Allowance] = []
    for limit in terms_from(version.terms).rules.limits:
        period = calendar.period(limit.per, at)
        used = await _used(
            session,
            limit,
            period,
            campaign_id=version.campaign_id,
            player_id=player_id,
            referral_id=referral_id,
        )
        found.append(Allowance(limit=limit, until=period.until, used=used))
    return found


async def _calendar(
    session: ReadSession, version_id: UUID, tax_year_start: TaxYearStart
) -> Calendar:
    query = select(CampaignVersion.options).where(CampaignVersion.id == version_id)
    options = options_from((await session.scalars(query)).one())
    return Calendar(zone=ZoneInfo(options.time_zone), tax_year_start=tax_year_start)


async def _used(
    session: ReadSession,
    limit: Limit,
    period: Period,
    *,
    campaign_id: UUID,
    player_id: str,
    referral_id: UUID | None,
) -> Used:
    is_whole = limit.per is Per.CAMPAIGN
    values: dict[str, Any] = {
        "campaign_id": campaign_id,
        "referral_id": referral_id,
        "currency": limit.amount.currency if limit.amount else None,
        "starts_at": None if is_whole else period.starts_at,
        "until": None if is_whole else period.until,
    }
    if limit.of is LimitOf.REFERRER:
        values["player_id"] = player_id
    count, minor = (await session.execute(_USED_OF[limit.of], values)).one()
    return Used(int(count), int(minor))


async def _ahead(session: ReadSession, referral: ReferralRow, limit: Limit) -> list[Used]:
    values = {
        "name": limit.name,
        "is_of_referrer": limit.of is LimitOf.REFERRER,
        "campaign_id": referral.campaign_id,
        "player_id": referral.referrer_id,
        "referral_id": referral.id,
        "currency": limit.amount.currency if limit.amount else None,
        "limit": MAX_AHEAD,
    }
    rows = await session.execute(_AHEAD, values)
    return [Used(int(count), int(minor)) for count, minor in rows]
