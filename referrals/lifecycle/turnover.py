"""Turnover of referees: the stakes within their windows, from totals of days that do not grow."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from db.engine import ReadSession
from domain.campaigns.exchange.local_terms import earning_currencies, terms_in
from domain.campaigns.terms import Terms
from domain.money import clamp_sum
from domain.rewards.circumstances import Turnover

_MINOR: Final = "cast(f.body #>> '{stake,minor}' as numeric)"
_STAKES: Final = """
    from facts f where f.player_id = asked.player_id and f.kind = 'wager'
     and f.body #>> '{stake,currency}' = asked.currency
"""
_UTC: Final = "at time zone 'UTC'"

# Of a day on which the window begins or ends, the stakes outside of it are taken off: hardly
# anybody bets before the signup, nor before the window's end after it. Only of the day on which
# the turnover was reached, stakes are read up to the one that reached it. Whose stakes are not
# added up, because only a simulation asks for them, has them read one by one.
_TURNOVERS: Final = text(f"""
    with given as (
        select given.place, given.currency, given.wanted, r.referee_id as player_id,
               r.signed_up_at as starts_at,
               r.signed_up_at + make_interval(secs => given.window_s) as ends_at
          from unnest(cast(:places as int[]), cast(:referrals as uuid[]),
                      cast(:currencies as text[]), cast(:wanted as bigint[]),
                      cast(:windows_s as double precision[]))
               as given (place, referral_id, currency, wanted, window_s)
          join referrals r on r.id = given.referral_id
         where r.referee_id is not null and r.signed_up_at is not null
    ), asked as (
        select given.*,
               cast(starts_at {_UTC} as date) as starts_on, cast(ends_at {_UTC} as date) as ends_on,
               exists (select from staking_players s
                        where s.player_id = given.player_id and s.is_counted) as is_counted
          from given
    )
    select asked.place, days.total, reached.at
      from asked
     cross join lateral (
        select sum(minor) as total,
               min(day) filter (where so_far >= asked.wanted) as day,
               min(so_far - minor) filter (where so_far >= asked.wanted) as before
          from (
            select day, minor, sum(minor) over (order by day) as so_far from (
                select t.day, t.minor
                       - case when t.day = asked.starts_on then coalesce((
                            select sum({_MINOR}) {_STAKES}
                               and f.occurred_at >= cast(t.day as timestamp) {_UTC}
                               and f.occurred_at < asked.starts_at), 0) else 0 end
                       - case when t.day = asked.ends_on then coalesce((
                            select sum({_MINOR}) {_STAKES}
                               and f.occurred_at > asked.ends_at
                               and f.occurred_at < cast(t.day + 1 as timestamp) {_UTC}), 0)
                         else 0 end as minor
                  from stake_totals t
                 where asked.is_counted and t.player_id = asked.player_id
                   and t.currency = asked.currency
                   and t.day between asked.starts_on and asked.ends_on
                union all
                select cast(f.occurred_at {_UTC} as date), sum({_MINOR}) {_STAKES}
                   and not asked.is_counted
                   and f.occurred_at between asked.starts_at and asked.ends_at
                 group by 1
            ) as totals
          ) as running
     ) as days
      left join lateral (
        select occurred_at as at from (
            select f.occurred_at, sum({_MINOR}) over (
                    order by f.occurred_at rows unbounded preceding) as so_far
              {_STAKES}
               and f.occurred_at >= greatest(cast(days.day as timestamp) {_UTC}, asked.starts_at)
               and f.occurred_at < cast(days.day + 1 as timestamp) {_UTC}
        ) as running
         where days.before + so_far >= asked.wanted
         order by occurred_at limit 1
     ) as reached on days.day is not null
     where days.total is not null
""")  # noqa: S608 - made of constants


async def load_turnovers(
    session: ReadSession, terms: Mapping[UUID, Terms]
) -> Mapping[UUID, Mapping[str, Turnover]]:
    """Return the turnovers of referrals by currency, as their terms ask for them, at once.

    The terms are those with the rates that count for each referral.
    """
    asked = [one for id_, of_one in terms.items() for one in _asked(id_, of_one)]
    if not asked:
        return {}
    values: dict[str, Any] = {
        "places": list(range(len(asked))),
        "referrals": [referral_id for referral_id, _ in asked],
        "currencies": [local.minimum_deposit.currency for _, local in asked],
        "wanted": [_wanted(local) for _, local in asked],
        "windows_s": [local.deposit_window.total_seconds() for _, local in asked],
    }
    found: defaultdict[UUID, dict[str, Turnover]] = defaultdict(dict)
    for row in await session.execute(_TURNOVERS, values):
        referral_id, local = asked[row.place]
        currency = local.minimum_deposit.currency
        # More than can be stated reaches whatever can be asked for.
        total = clamp_sum(int(row.total), currency)
        found[referral_id][currency] = Turnover(total, row.at)
    return found


def _asked(referral_id: UUID, terms: Terms) -> Iterator[tuple[UUID, Terms]]:
    """Yield the terms in each currency whose stakes decide."""
    if not terms.rules.asks_for_stakes:
        return
    own = terms.minimum_deposit.currency
    for currency in sorted({own, *earning_currencies(terms)}):
        local = terms_in(terms, currency) or (terms if currency == own else None)
        if local is not None:
            yield referral_id, local


def _wanted(local: Terms) -> int | None:
    """Return the turnover to reach in minor units; of none at all, any stake does."""
    return max(1, local.rules.turnover.minor) if local.rules.turnover else None
