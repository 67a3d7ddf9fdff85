"""The funnel: shares, clicks, invitations, signups, qualifications, rewards and their cost."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import TextClause, text

from db.engine import ReadSession
from domain.campaigns.conditions.evaluation import in_one_spelling
from domain.privacy import OTHER
from referrals.reports.happenings import COST, SOURCES, within_span
from referrals.reports.span import Span, Sum


class By(StrEnum):
    """Groups of the funnel's rows."""

    DAY = "day"
    WEEK = "week"
    CAMPAIGN = "campaign"
    VERSION = "version"
    CHANNEL = "channel"
    PLATFORM = "platform"
    JURISDICTION = "jurisdiction"
    VARIANT = "variant"
    COHORT = "cohort"


OF_A_CAMPAIGN: Final = frozenset({By.VERSION, By.VARIANT})
"""Groups whose names mean something within one campaign only."""


@dataclass(slots=True, kw_only=True)
class FunnelRow:
    """One group of the funnel; None as its group where that is not known."""

    group: str | int | None
    campaign: str | None = None
    """The campaign that a version or a variant is of."""
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0))
    cost: tuple[Sum, ...] = ()


_VERSION: Final = """
    left join referrals on referrals.id = happened.referral_id
    left join campaign_versions on campaign_versions.id = referrals.campaign_version_id"""
_SIGNUP: Final = """
    left join referrals on referrals.id = happened.referral_id
    left join facts on facts.kind = 'signup' and facts.event_id = referrals.signup_event_id"""
_REFERRAL: Final = "left join referrals on referrals.id = happened.referral_id"
# The code's latest share before the invitation, as conditions of a campaign see it.
_CHANNEL: Final = """coalesce(happened.channel, (
    select shares.channel from shares
     where shares.code = referrals.code and shares.shared_at <= referrals.invited_at
     order by shares.shared_at desc, shares.id limit 1))"""
# The platform of the signup; before that, of the visit by which the invitation began.
_PLATFORM: Final = """coalesce(happened.platform, facts.body ->> 'platform', (
    select touches.platform from touches
     where touches.referral_id = happened.referral_id and touches.platform is not null
     order by touches.at, touches.id limit 1), (
    select gone.platform from let_go_invitations gone
     where gone.referral_id = happened.referral_id))"""
_GROUPS: Final[dict[By, tuple[str, str]]] = {
    By.DAY: ("to_char(happened.at at time zone :zone, 'YYYY-MM-DD')", ""),
    By.WEEK: (
        "to_char(date_trunc('week', happened.at at time zone :zone), 'YYYY-MM-DD')",
        "",
    ),
    By.CAMPAIGN: ("happened.campaign", ""),
    By.VERSION: ("campaign_versions.version", _VERSION),
    By.CHANNEL: (_CHANNEL, _REFERRAL),
    By.PLATFORM: (_PLATFORM, _SIGNUP),
    By.JURISDICTION: ("facts.body ->> 'jurisdiction'", _SIGNUP),
    By.VARIANT: ("referrals.variant", _REFERRAL),
    By.COHORT: (
        "to_char(date_trunc('week', referrals.invited_at at time zone :zone), 'YYYY-MM-DD')",
        _REFERRAL,
    ),
}
"""SQL of each group, and of the tables that it needs."""


_COMPARED_AS: Final = {
    By.CHANNEL: "share.channel",
    By.PLATFORM: "referee.platform",
    By.JURISDICTION: "referee.jurisdiction",
}
"""Fields of conditions, in whose one spelling the groups are named that people write."""


async def load_funnel(session: ReadSession, span: Span, *, by: By) -> list[FunnelRow]:
    """Return the funnel's rows in the order of their groups, those without a group last.

    Each thing counts at its own time, but by cohort, where a referral counts in the week of its
    invitation whenever that was. The cost equals the ledger's movements of that time.
    """
    rows: dict[tuple[Any, Any], FunnelRow] = {}
    parameters = span.parameters | ({"zone": span.zone} if _needs_zone(by) else {})
    # Spellings are few and things many: those that mean the same are added up here.
    for found in await session.execute(_count_statement(by), parameters):
        row = _row(rows, found, by)
        row.counts[found.what] += found.number
    costs: defaultdict[tuple[Any, Any], Counter[str]] = defaultdict(Counter)
    for found in await session.execute(_cost_statement(by), parameters):
        row = _row(rows, found, by)
        costs[row.campaign, row.group][found.currency] += int(found.minor)
    for key, sums in costs.items():
        rows[key].cost = tuple(Sum(minor, currency) for currency, minor in sorted(sums.items()))
    return in_order(rows.values())


def in_order(rows: Iterable[FunnelRow]) -> list[FunnelRow]:
    """Return rows in the order of their groups, which are all texts or all numbers."""
    return sorted(rows, key=_order)


def _order(row: FunnelRow) -> tuple[Any, ...]:
    campaign = () if row.campaign is None else (row.campaign,)
    group = () if row.group is None else (row.group,)
    return (not campaign, campaign, not group, group)


def _row(rows: dict[tuple[Any, Any], FunnelRow], found: Any, by: By) -> FunnelRow:  # noqa: ANN401 - a row of either statement
    group = _named(found.key, by)
    return rows.setdefault((found.campaign, group), FunnelRow(group=group, campaign=found.campaign))


def _named(key: str | int | None, by: By) -> str | int | None:
    """Return the name of a group; a blank one, as signals could report it, is not known."""
    if not isinstance(key, str) or by not in _COMPARED_AS or key == OTHER:
        return key
    name = in_one_spelling(key, _COMPARED_AS[by])
    return name if isinstance(name, str) and name else None


def _needs_zone(by: By) -> bool:
    return by in {By.DAY, By.WEEK, By.COHORT}


def _campaign(by: By) -> str:
    """Return what says whose version or variant a row is of; others are of every campaign."""
    return "happened.campaign" if by in OF_A_CAMPAIGN else "null::text"


def _count_statement(by: By) -> TextClause:
    group, joins = _GROUPS[by]
    happened = " union all ".join(
        f"select '{name}' as what, * from ({within_span(source)}) as {name}"
        for name, source in SOURCES.items()
    )
    return text(f"""
        select what, {_campaign(by)} as campaign, {group} as key, count(*) as number
          from ({happened}) as happened {joins}
         group by 1, 2, 3
    """)


def _cost_statement(by: By) -> TextClause:
    group, joins = _GROUPS[by]
    return text(f"""
        select {_campaign(by)} as campaign, {group} as key, happened.currency,
               sum(happened.minor)::bigint as minor
          from ({within_span(COST)}) as happened {joins}
         group by 1, 2, 3 order by 3
    """)
