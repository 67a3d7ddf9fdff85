"""Rate tables as rows: written once, listed, and told to the referrals that wait for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from db import paging
from db.engine import ReadSession, Session
from db.locks import lock_key
from db.paging import Page, PageRequest, Position
from db.tables import RateTableRow
from db.wakes import write_and_wake
from domain.campaigns.exchange.rate_table import RateTable, same_rate
from domain.derived_ids import derived_id
from domain.lifecycle.signals import LOOK, Signal
from referrals.access import audit
from referrals.access.audit import Actor

_NAMESPACE: Final = UUID("5b0c5c1e-2f0e-4d59-9a3c-6a0f3b1f7a55")
LOCK: Final = "rate_tables"
"""Advisory lock that writers take alone, and acts that miss a rate in share."""
WOKEN: Final = "rates/"
"""Prefix of the wake-ups' event ids. A `/` is in no id of a caller."""

# All that waits for a rate looks again, the longest waiting first.
_WAKE: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select h.referral_id, :kind, :event_id, :signal
          from holds h join referrals r on r.id = h.referral_id and r.stage = 'SIGNED_UP'
         where h.reason = 'no_rate' and h.cleared_at is null
         order by h.since, h.referral_id
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
# Referrals whose deposit is without a hold, although no rate was known by their invitation: an act
# may have been left out, as by earlier releases, or judged by a table that this one replaces.
# Only invitations since the table's moment are judged by it, which are few.
_WAKE_OVERLOOKED: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select r.id, :kind, :event_id, :signal
          from referrals r
         where r.invited_at >= :as_of and r.stage = 'SIGNED_UP'
           and jsonb_array_length(r.terms #> '{rules,currencies}') > 0
           and exists (select from facts f
                        where f.player_id = r.referee_id and f.kind = 'deposit'
                          and f.body #>> '{amount,currency}' = any(cast(:currencies as text[])))
           and not exists (
                select from rate_tables k
                 where k.as_of <= r.invited_at and k.written_at <= r.invited_at
                   and k.currencies @> array(
                        select jsonb_array_elements_text(r.terms #> '{rules,currencies}')
                        union all select r.terms #>> '{minimum_deposit,currency}'))
         order by r.signed_up_at, r.id limit :limit
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")
MOST_OVERLOOKED: Final = 10_000
"""Most referrals that one table wakes beside those with a hold; the others look when they end."""

_SHARE_LOCK: Final = text("select pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")


class RatesOutcome(StrEnum):
    """The outcome of writing a rate table."""

    WRITTEN = "written"
    SAME = "same"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRates:
    """A rate table to be written; equal rates may be spelled differently."""

    as_of: datetime
    source: str
    base: str
    rates: Mapping[str, str]

    @property
    def id(self) -> UUID:
        return derived_id(_NAMESPACE, self.as_of.isoformat(), self.source, self.base)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesView:
    as_of: datetime
    source: str
    base: str
    rates: Mapping[str, str]
    written_by: str
    written_at: datetime


async def write_rates(session: Session, new: NewRates, actor: Actor) -> RatesOutcome:
    """Write a rate table once, and let the referrals look again that wait for a rate."""
    await lock_key(session, LOCK)
    rates = {currency: same_rate(text_) for currency, text_ in sorted(new.rates.items())}
    values = {
        "id": new.id,
        "as_of": new.as_of,
        "source": new.source,
        "base": new.base,
        "rates": rates,
        "currencies": sorted({new.base, *rates}),
        "written_by": actor.name,
        "written_at": func.clock_timestamp(),
    }
    added = insert(RateTableRow).values(values).on_conflict_do_nothing().returning(RateTableRow.id)
    if await session.scalar(added) is None:
        known = (
            await session.scalars(select(RateTableRow.rates).where(RateTableRow.id == new.id))
        ).one()
        return RatesOutcome.SAME if known == rates else RatesOutcome.CONFLICT
    details = {"as_of": new.as_of.isoformat(), "source": new.source, "rates": rates}
    await audit.write(
        session, actor, action="rates.write", subject=f"rates:{new.base}", details=details
    )
    look = {"kind": LOOK, "event_id": f"{WOKEN}{new.id}", "signal": Signal.LOOK.value}
    await write_and_wake(session, _WAKE, look)
    overlooked = {
        "as_of": new.as_of,
        "currencies": values["currencies"],
        "limit": MOST_OVERLOOKED,
    }
    await write_and_wake(session, _WAKE_OVERLOOKED, look | overlooked)
    return RatesOutcome.WRITTEN


async def keep_rates(session: Session) -> None:
    """Keep others from recording rates until an act that misses one has written that it waits."""
    await session.execute(_SHARE_LOCK, {"key": LOCK})


async def find_rates(session: ReadSession, new: NewRates) -> RatesView:
    """Return a rate table that is written; an error where it is not."""
    return _view(
        (await session.scalars(select(RateTableRow).where(RateTableRow.id == new.id))).one()
    )


async def list_rates(
    session: ReadSession, page_request: PageRequest, *, currency: str | None = None
) -> Page[RatesView]:
    """Return rate tables, those of the latest moments first; only those that cover a currency."""
    query = select(RateTableRow)
    if currency is not None:
        query = query.where(RateTableRow.currencies.any_() == currency)
    query = paging.newest_first(query, page_request, at=RateTableRow.as_of, id_=RateTableRow.id)
    rows: Sequence[RateTableRow] = (await session.scalars(query)).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.as_of, row.id))
    return page.map(lambda items: [_view(row) for row in items])


def table_of(row: Any) -> RateTable:  # noqa: ANN401 - a row of any query with these columns
    return RateTable(
        id=str(row.id),
        as_of=row.as_of,
        source=row.source,
        base=row.base,
        rates=tuple(sorted(row.rates.items())),
    )


def _view(row: RateTableRow) -> RatesView:
    return RatesView(
        as_of=row.as_of,
        source=row.source,
        base=row.base,
        rates=row.rates,
        written_by=row.written_by,
        written_at=row.written_at,
    )
