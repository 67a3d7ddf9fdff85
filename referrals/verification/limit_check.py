"""The check that no rewards went beyond the limits of their terms."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from db.engine import ReadSession
from domain.campaigns.limits.decision import Limit, LimitOf, Used
from domain.campaigns.limits.periods import Calendar, Per
from domain.campaigns.rules import RewardType
from domain.money import Money
from domain.rewards.computed import own_minor
from referrals.campaigns.versions import options_from, terms_from
from referrals.verification.invariant import Scope, scoped

PAGE_ROWS: Final = 2000
_FIRST_ID: Final = UUID(int=0)
_VERSIONS: Final = """
    select v.id, v.terms, v.options,
           (select min(w.counted_at) from rewards w
             where w.campaign_version_id = v.id and $referrals(w.referral_id)) as since
      from campaign_versions v
     where jsonb_typeof(v.terms #> '{rules,limits,0}') = 'object'
       and exists (select from rewards w
                    where w.campaign_version_id = v.id and w.counted_at is not null
                      and $referrals(w.referral_id))
"""
_COUNTED: Final = text("""
    select w.id, w.referral_id, w.reward_type, w.player_id, w.currency,
           greatest(w.amount_minor, w.due_minor) as minor, w.counted_at, w.computation
      from rewards w
     where w.campaign_version_id = :version and w.status in ('HELD', 'ISSUED')
       and (w.counted_at, w.id) > (cast(:after_at as timestamptz), cast(:after_id as uuid))
     order by w.counted_at, w.id limit :limit
""")


async def find_unlimited(session: ReadSession, scope: Scope) -> list[str]:
    """Return the ids of referrals whose rewards took a place beyond a limit of their terms.

    Rewards are counted by version: all of one were judged by the same limits, whatever others were
    judged by. Limits of a tax year are left out, because a setting says when it begins.
    """
    query = text(scoped(_VERSIONS, scope))
    needed = {name: scope.values[name] for name in query.compile().params}
    found: dict[str, None] = {}
    for version in (await session.execute(query, needed)).all():
        for referral_id in await _beyond(session, version):
            found[referral_id] = None
    return list(found)


async def _beyond(session: ReadSession, version: Row[Any]) -> list[str]:
    calendar = Calendar(zone=ZoneInfo(options_from(version.options).time_zone))
    limits = [
        limit for limit in terms_from(version.terms).rules.limits if limit.per is not Per.TAX_YEAR
    ]
    beyond: list[str] = []
    for limit in limits:
        period = calendar.period(limit.per, version.since)
        used: defaultdict[tuple[datetime | None, str], Used] = defaultdict(Used)
        async for reward in _counted(session, version.id, since=period.starts_at):
            if limit.of is LimitOf.REFERRER and reward.reward_type != RewardType.REFERRER:
                continue
            owner = reward.player_id if limit.of is LimitOf.REFERRER else ""
            key = calendar.period(limit.per, reward.counted_at).starts_at, owner
            used[key] += _need(limit, reward)
            if _exceeds(limit, used[key]):
                beyond.append(str(reward.referral_id))
    return beyond


async def _counted(
    session: ReadSession, version_id: UUID, *, since: datetime | None
) -> AsyncIterator[Row[Any]]:
    values: dict[str, Any] = {"version": version_id, "limit": PAGE_ROWS, "after_id": _FIRST_ID}
    values["after_at"] = since or datetime.fromisoformat("1999-01-01T00:00:00Z")
    while True:
        page: Sequence[Row[Any]] = (await session.execute(_COUNTED, values)).all()
        for row in page:
            yield row
        if len(page) < PAGE_ROWS:
            return
        values |= {"after_at": page[-1].counted_at, "after_id": page[-1].id}


def _need(limit: Limit, reward: Row[Any]) -> Used:
    """Return what a reward uses of a limit: what took its place, or what it has risen to."""
    if limit.amount is None:
        return Used(1)
    amount = Money(reward.minor, reward.currency)
    return Used(1, own_minor(reward.computation, amount, limit.amount.currency))


def _exceeds(limit: Limit, used: Used) -> bool:
    over_count = limit.rewards is not None and used.rewards > limit.rewards
    return over_count or (limit.amount is not None and used.minor > limit.amount.minor)
