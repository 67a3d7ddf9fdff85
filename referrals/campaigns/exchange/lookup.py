"""Lookup of the rate tables that count for referrals, which are put into their terms."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from db.engine import ReadSession
from db.tables import ReferralRow
from domain.campaigns.exchange.local_terms import currencies_of, needed_currencies
from domain.campaigns.exchange.rate_table import RateTable
from domain.campaigns.terms import Terms
from referrals.campaigns.exchange.rates import table_of
from referrals.campaigns.versions import has_currencies, terms_from

# The table that a written reward rests on stays. Else it is the latest one not after the
# invitation: of those known by then, which no later one changes; or, where there was none, of all.
_TABLES: Final = text("""
    select a.place, a.currency, t.id, t.as_of, t.source, t.base, t.rates
      from unnest(cast(:places as int[]), cast(:currencies as text[]), cast(:needed as text[]),
                  cast(:referrals as uuid[]), cast(:ats as timestamptz[]))
           as a (place, currency, needed, referral_id, at)
      join rate_tables t on t.id = coalesce(
           (select cast(w.computation #>> '{conversion,rates_id}' as uuid) from rewards w
             where w.referral_id = a.referral_id
               and w.computation #>> '{conversion,to}' = a.currency limit 1),
           (select k.id from rate_tables k
             where k.as_of <= a.at and k.written_at <= a.at
               and k.currencies @> string_to_array(a.needed, ',')
             order by k.as_of desc, k.number desc limit 1),
           (select k.id from rate_tables k
             where k.as_of <= a.at and k.currencies @> string_to_array(a.needed, ',')
             order by k.as_of desc, k.number desc limit 1))
""")

# The rewards of one referral have one currency.
_PAID_IN: Final = text("""
    select distinct referral_id, currency from rewards where referral_id = any(:referrals)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The basis of judging a referral of several currencies; empty for one of a single currency."""

    rate_tables: tuple[tuple[str, RateTable], ...] = ()
    paid_in: str | None = None


NO_EXCHANGE: Final = Exchange()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The terms of a referral, and when they were promised."""

    referral_id: UUID
    invited_at: datetime
    terms: Terms


async def exchange_of(session: ReadSession, row: ReferralRow) -> Exchange:
    """Return the rates and the currency that count for a referral; most terms need none."""
    if not has_currencies(row.terms):
        return NO_EXCHANGE
    rules = (await terms_with_rates(session, row, terms_from(row.terms))).rules
    return Exchange(rate_tables=rules.rate_tables, paid_in=rules.paid_in)


async def terms_with_rates(session: ReadSession, row: ReferralRow, terms: Terms) -> Terms:
    """Return the terms of one referral with the rates and the currency that count for it."""
    promise = Promise(referral_id=row.id, invited_at=row.invited_at, terms=terms)
    return (await _each_as_written(session, [promise]))[0]


async def each_with_rates(session: ReadSession, promises: Sequence[Promise]) -> list[Terms]:
    """Return the terms of referrals with their rates; one statement, or none without currencies.

    As for referrals that have no rewards yet: each currency of the campaign may be paid.
    """
    asked = [
        (place, currency, needed, promise)
        for place, promise in enumerate(promises)
        if promise.terms.rules.currencies
        for currency in currencies_of(promise.terms)
        if len(needed := needed_currencies(promise.terms, currency)) > 1
    ]
    if not asked:
        return [promise.terms for promise in promises]
    values = {
        "places": [place for place, _, _, _ in asked],
        "currencies": [currency for _, currency, _, _ in asked],
        "needed": [",".join(sorted(needed)) for _, _, needed, _ in asked],
        "referrals": [promise.referral_id for _, _, _, promise in asked],
        "ats": [promise.invited_at for _, _, _, promise in asked],
    }
    found: defaultdict[int, list[tuple[str, RateTable]]] = defaultdict(list)
    for row in await session.execute(_TABLES, values):
        found[row.place].append((row.currency, table_of(row)))
    return [
        with_exchange(promise.terms, Exchange(rate_tables=tuple(sorted(found[n], key=_code))))
        for n, promise in enumerate(promises)
    ]


async def terms_of_page(session: ReadSession, page: Sequence[Row[Any]]) -> dict[UUID, Terms]:
    """Return the terms with what counts for them of rows with `id`, `invited_at` and `terms`."""
    promises = [
        Promise(referral_id=row.id, invited_at=row.invited_at, terms=terms_from(row.terms))
        for row in page
    ]
    priced = await _each_as_written(session, promises)
    return {row.id: terms for row, terms in zip(page, priced, strict=True)}


def with_exchange(terms: Terms, exchange: Exchange) -> Terms:
    """Return terms with the rates and the currency by which one referral is judged."""
    if exchange == NO_EXCHANGE:
        return terms
    rules = replace(terms.rules, rate_tables=exchange.rate_tables, paid_in=exchange.paid_in)
    return replace(terms, rules=rules)


async def _each_as_written(session: ReadSession, promises: Sequence[Promise]) -> list[Terms]:
    """Return the terms of referrals with their rates, and the currency of written rewards."""
    priced = await each_with_rates(session, promises)
    several = [promise.referral_id for promise in promises if promise.terms.rules.currencies]
    if not several:
        return priced
    rows = await session.execute(_PAID_IN, {"referrals": several})
    paid_in = {row.referral_id: row.currency for row in rows}
    return [
        replace(terms, rules=replace(terms.rules, paid_in=paid_in.get(promise.referral_id)))
        for promise, terms in zip(promises, priced, strict=True)
    ]


def _code(table: tuple[str, RateTable]) -> str:
    return table[0]
