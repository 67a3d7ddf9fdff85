"""Reports from the warehouse: the same numbers as those from Postgres, over many more events."""

from collections import defaultdict
from typing import Any, Final

from analytics.warehouse import Parameters, Warehouse
from referrals.reports.figures import (
    BUCKETS_S,
    CostFigures,
    ReversalFigures,
    TimeToConversion,
    TopReferrer,
)
from referrals.reports.funnel import OF_A_CAMPAIGN, By, FunnelRow
from referrals.reports.span import Span, Sum

# What can happen to a referral more than once counts the first time; the rest needs no grouping.
_HAPPENED: Final = """
    select transform(type,
               ['ShareRecorded', 'CodeClicked', 'ReferralInvited', 'RewardGranted'],
               ['shares', 'clicks', 'invitations', 'rewarded'], '') as what,
           at, campaign, version, referral_id, referrer_id
      from events final
     where type in ('ShareRecorded', 'CodeClicked', 'ReferralInvited', 'RewardGranted')
    union all
    select transform(type, ['ReferralSignedUp', 'ReferralQualified', 'RewardReversed'],
               ['signups', 'qualified', 'reversed'], '') as what,
           min(events.at) as at, any(events.campaign) as campaign, any(events.version) as version,
           referral_id, any(events.referrer_id) as referrer_id
      from events final
     where type in ('ReferralSignedUp', 'ReferralQualified', 'RewardReversed')
     group by type, referral_id
"""
_MOVED: Final = """
    select at, campaign, version, referral_id, type, part.1 as currency, part.2 as minor
      from events final array join cost as part
     where type in ('RewardGranted', 'RewardReversed', 'RewardReinstated', 'RewardAdjusted')
"""
_WITHIN: Final = """
    happened.at >= {since:DateTime64(6, 'UTC')} and happened.at < {until:DateTime64(6, 'UTC')}
    and ({campaign:String} = '' or happened.campaign = {campaign:String})
"""
_INVITED: Final = """
    join (select referral_id, at as invited_at, variant from events final
                where type = 'ReferralInvited') as invited
      on invited.referral_id = happened.referral_id
"""
_CONVERTED: Final = f"""
    select greatest(0., (toUnixTimestamp64Micro(happened.at)
               - toUnixTimestamp64Micro(invited.invited_at)) / 1e6) as taken_s
      from ({_HAPPENED}) as happened any inner {_INVITED.strip()}
     where {_WITHIN} and what = 'qualified'
"""
_MONDAY: Final = "toString(toDate(toMonday(toTimeZone({}, {{zone:String}}))))"
GROUPS: Final = {
    By.DAY: ("toString(toDate(toTimeZone(happened.at, {zone:String})))", ""),
    By.WEEK: (_MONDAY.format("happened.at"), ""),
    By.CAMPAIGN: ("toString(happened.campaign)", ""),
    By.VERSION: ("nullIf(happened.version, 0)", ""),
    By.VARIANT: ("nullIf(toString(invited.variant), '')", f"any left {_INVITED.strip()}"),
    By.COHORT: (
        _MONDAY.format("if(invited.invited_at = 0, null, invited.invited_at)"),
        f"any left {_INVITED.strip()}",
    ),
}
"""Groupings that events alone know; the others are read from Postgres."""


def load_funnel(warehouse: Warehouse, span: Span, *, by: By) -> list[FunnelRow]:
    """Return the funnel's rows by a grouping of GROUPS, in their order, the unknown one last."""
    key, joins = GROUPS[by]
    campaign = "toString(happened.campaign)" if by in OF_A_CAMPAIGN else "null"
    rows: dict[tuple[Any, Any], FunnelRow] = {}
    for found in warehouse.select(
        f"select what, {campaign} as of_campaign, {key} as key, toUInt32(count()) as number"
        f" from ({_HAPPENED}) as happened {joins} where {_WITHIN} group by 1, 2, 3",
        _parameters(span),
    ):
        row = _row(rows, found)
        row.counts[found["what"]] = found["number"]
    sums = defaultdict(list)
    for found in warehouse.select(
        f"select {campaign} as of_campaign, {key} as key, currency,"
        f" toString(sum(minor)) as total from ({_MOVED}) as happened {joins}"
        f" where {_WITHIN} group by 1, 2, 3 order by 3",
        _parameters(span),
    ):
        _row(rows, found)
        place = (found["of_campaign"], found["key"])
        sums[place].append(Sum(int(found["total"]), found["currency"]))
    for place, costs in sums.items():
        rows[place].cost = tuple(costs)
    return sorted(rows.values(), key=_order)


def load_time_to_conversion(warehouse: Warehouse, span: Span) -> TimeToConversion:
    below = ", ".join(f"toUInt32(countIf(taken_s < {bound}))" for bound in BUCKETS_S)
    (found,) = warehouse.select(
        "select toUInt32(count()) as conversions, quantileExactInclusive(0.5)(taken_s) as median_s,"
        f" quantileExactInclusive(0.9)(taken_s) as p90_s, [{below}] as below from ({_CONVERTED})",
        _parameters(span),
    )
    conversions = int(found["conversions"])
    counts = [0, *found["below"], conversions]
    return TimeToConversion(
        conversions=conversions,
        median_s=float(found["median_s"]) if conversions else None,
        p90_s=float(found["p90_s"]) if conversions else None,
        distribution=tuple(
            (bound, counts[nth + 1] - counts[nth]) for nth, bound in enumerate((*BUCKETS_S, None))
        ),
    )


def load_cost(warehouse: Warehouse, span: Span) -> CostFigures:
    found = warehouse.select(
        f"select currency, toString(sum(minor)) as total from ({_MOVED}) as happened"
        f" where {_WITHIN} group by 1 order by 1",
        _parameters(span),
    )
    return CostFigures(
        cost=tuple(Sum(int(row["total"]), row["currency"]) for row in found),
        new_depositors=_count(warehouse, "qualified", span),
    )


def load_reversals(warehouse: Warehouse, span: Span) -> ReversalFigures:
    found = warehouse.select(
        "select currency, toString(-sumIf(minor, minor < 0)) as taken_back,"
        " toString(sumIf(minor, minor > 0)) as given_again"
        f" from ({_MOVED}) as happened where {_WITHIN} and type != 'RewardGranted'"
        " group by 1 order by 1",
        _parameters(span),
    )
    return ReversalFigures(
        rewarded=_count(warehouse, "rewarded", span),
        reversed=_count(warehouse, "reversed", span),
        amount=tuple(Sum(int(row["taken_back"]), row["currency"]) for row in found),
        reinstated=tuple(Sum(int(row["given_again"]), row["currency"]) for row in found),
    )


def load_top_referrers(warehouse: Warehouse, span: Span, *, limit: int) -> list[TopReferrer]:
    found = warehouse.select(
        f"select referrer_id, toUInt32(count()) as number from ({_HAPPENED}) as happened"
        f" where {_WITHIN} and what = 'rewarded' group by 1 order by 2 desc, 1"
        " limit {limit:UInt32}",
        {**_parameters(span), "limit": limit},
    )
    return [TopReferrer(row["referrer_id"], row["number"]) for row in found]


def _count(warehouse: Warehouse, what: str, span: Span) -> int:
    (found,) = warehouse.select(
        f"select toUInt32(count()) as number from ({_HAPPENED}) as happened"
        f" where {_WITHIN} and what = '{what}'",
        _parameters(span),
    )
    return int(found["number"])


def _parameters(span: Span) -> Parameters:
    return {
        "since": span.parameters["since"].strftime("%Y-%m-%d %H:%M:%S.%f"),
        "until": span.parameters["until"].strftime("%Y-%m-%d %H:%M:%S.%f"),
        "campaign": span.campaign or "",
        "zone": span.zone,
    }


def _row(rows: dict[tuple[Any, Any], FunnelRow], found: dict[str, Any]) -> FunnelRow:
    place = (found["of_campaign"], found["key"])
    return rows.setdefault(place, FunnelRow(group=place[1], campaign=place[0]))


def _order(row: FunnelRow) -> tuple[Any, ...]:
    return (row.campaign is None, row.campaign or "", row.group is None, row.group or 0)
