"""Conduct of a referral's pair: what it reported, when it paid in, wagered and withdrew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row

from domain.fraud.snapshot import Behaviour, NetworkOrigin
from domain.intake.facts import Deposit, FactKind
from domain.jurisdictions import is_within
from domain.money import Money
from referrals.intake.facts import fact_of

MAX_FACTS: Final = 100
"""Deposits of a player, the latest, that are looked into."""
MAX_STAKES: Final = 500
"""Stakes of a referee, the latest, that are compared with the referrer's."""
MAX_REFERRALS: Final = 1_000
"""Referrals of a referrer, the latest, among which one that was credited is sought."""
MIRROR_S: Final = 120
"""Most seconds between two equal stakes that count as mirrored."""
LEAST_MIRRORED: Final = 3
"""Fewer equal stakes at one time are chance."""

# Reads each part by the index of facts by player, kind and time, or by a key; every part is
# bounded. Stakes are weighed by their money, so that small ones beside mirrored ones hide nothing.
# Whether there are withdrawals at all is asked in the order of a key: for `exists` the planner
# would read the table from its start where they are many.
CONDUCT: Final = f"""
    with mine as (
        select body -> 'stake' as stake, occurred_at from facts
        where player_id = :referee and kind = 'wager'
        order by occurred_at desc limit {MAX_STAKES} + 1
    ), compared as (
        select cast(stake ->> 'minor' as numeric) as minor, exists(
            select from facts as theirs
            where theirs.player_id = :referrer and theirs.kind = 'wager'
              and theirs.occurred_at between mine.occurred_at - make_interval(secs => {MIRROR_S})
                                         and mine.occurred_at + make_interval(secs => {MIRROR_S})
              and theirs.body -> 'stake' = mine.stake
        ) as is_mirrored
        from mine limit {MAX_STAKES}
    ), said as (
        select kind, body, matching -> 'origin' as origin, occurred_at,
               coalesce(matching -> 'unsaid', '[]') as unsaid
        from facts where player_id = :referee and kind = 'signup'
        union all
        -- Ever so many deposits push no signup out.
        (select kind, body, matching -> 'origin', occurred_at, coalesce(matching -> 'unsaid', '[]')
         from facts where player_id = :referee and kind = 'deposit'
         order by occurred_at desc limit {MAX_FACTS})
    ), credit as (
        select credited_at from (
            select id, credited_at, invited_at from referrals
            where referrer_id = :referrer order by invited_at desc limit {MAX_REFERRALS}
        ) as latest
        where credited_at is not null and id <> :referral_id
          and exists(select from facts where player_id = :referrer and kind = 'withdrawal')
        order by invited_at desc limit 1
    )
    select
        (select body from facts where kind = 'deposit' and event_id = :deposit) as deposit,
        (select array_agg(distinct field) from said, jsonb_object_keys(body) as field
         where not unsaid ? field) as known,
        (select jsonb_agg(origin) from said) as origins,
        (select body ->> 'jurisdiction' from said
         where kind = 'signup' order by occurred_at desc limit 1) as jurisdiction,
        (select min(occurred_at) from facts
         where player_id = :referrer and kind = 'signup') as referrer_signed_up_at,
        exists(select from facts where player_id = :referrer and kind = 'deposit')
            as referrer_has_deposited,
        coalesce((select true from facts
                   where kind = 'withdrawal' order by event_id limit 1), false)
            as knows_withdrawals,
        (select taken.occurred_at from facts as paid cross join lateral (
            select occurred_at from facts
            where player_id = :referee and kind = 'withdrawal' and occurred_at >= paid.occurred_at
            order by occurred_at limit 1
         ) as taken
         where paid.kind = 'deposit' and paid.event_id = :deposit) as withdrew_at,
        (select extract(epoch from taken.occurred_at - credited_at) from credit cross join lateral (
            select occurred_at from facts
            where player_id = :referrer and kind = 'withdrawal' and occurred_at >= credited_at
            order by occurred_at limit 1
         ) as taken) as credit_to_withdrawal_s,
        (select count(*) from mine) as stakes,
        exists(select from facts where player_id = :referrer and kind = 'wager') as have_they_bet,
        (select count(*) from compared where is_mirrored) as mirrored,
        (select 2 * sum(minor) filter (where is_mirrored) >= sum(minor) from compared)
            as is_half_mirrored
"""  # noqa: S608 - made of constants of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """The pair's conduct, and what is known about either player at all."""

    behaviour: Behaviour
    origin: NetworkOrigin
    known: tuple[str, ...]
    referrer_signed_up_at: datetime | None
    referrer_has_deposited: bool | None


def conduct_from(row: Row[Any], *, signed_up_at: datetime, minimum: Money) -> Conduct:
    """Return the conduct of a pair, by a row of CONDUCT."""
    deposit = fact_of(FactKind.DEPOSIT, row.deposit) if row.deposit else None
    is_heard_of = row.referrer_signed_up_at is not None
    return Conduct(
        behaviour=Behaviour(
            **_deposit_behaviour(deposit, row.withdrew_at, signed_up_at, minimum),
            are_stakes_mirrored=row.mirrored >= LEAST_MIRRORED and bool(row.is_half_mirrored)
            if row.stakes and row.have_they_bet
            else None,
            has_more_stakes=row.stakes > MAX_STAKES,
            credit_to_withdrawal_s=_whole(row.credit_to_withdrawal_s),
            knows_withdrawals=row.knows_withdrawals,
        ),
        origin=origin_of_player(row.origins or (), row.jurisdiction, at=signed_up_at),
        known=tuple(sorted(row.known or ())),
        referrer_signed_up_at=row.referrer_signed_up_at,
        referrer_has_deposited=row.referrer_has_deposited if is_heard_of else None,
    )


def origin_of_player(
    origins: Iterable[Mapping[str, Any] | None], jurisdiction: str | None, *, at: datetime
) -> NetworkOrigin:
    """Return what a player's events say together: suspicious where one of them is."""
    known = [origin for origin in origins if origin]
    countries = {origin["country"] for origin in known if "country" in origin}
    gathered = [date.fromisoformat(each["as_of"]) for each in known if "as_of" in each]
    days = [(at.date() - day).days for day in gathered]
    return NetworkOrigin(
        is_hosting=_any_of(known, "is_hosting"),
        is_in_jurisdiction=all(is_within(country, jurisdiction) for country in countries)
        if countries and jurisdiction
        else None,
        is_disposable_mail=_any_of(known, "is_disposable_mail"),
        data_age_days=max(0, *days) if days else None,
    )


def _any_of(origins: Iterable[Mapping[str, Any]], name: str) -> bool | None:
    found = [bool(origin[name]) for origin in origins if name in origin]
    return any(found) if found else None


def _deposit_behaviour(
    deposit: object, withdrew_at: datetime | None, signed_up_at: datetime, minimum: Money
) -> dict[str, Any]:
    if not isinstance(deposit, Deposit):
        return {}
    at = deposit.occurred_at
    return {
        "signup_to_deposit_s": max(0, _whole((at - signed_up_at).total_seconds()) or 0),
        "is_minimum_deposit": deposit.amount == minimum,
        "deposit_to_withdrawal_s": _whole((withdrew_at - at).total_seconds())
        if withdrew_at
        else None,
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
