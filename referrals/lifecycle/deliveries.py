"""What referrals' workflows have to hear: added once, leased, repeated until acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column, or_, select, text, true, tuple_, update

from db.engine import Session
from db.tables import Delivery, FactRow, ReferralRow
from domain.intake.facts import Fact, FactKind
from domain.lifecycle.referral import Referral
from referrals.intake.facts import fact_of
from referrals.lifecycle.stages import workflow_input_of

_KINDS: Final = frozenset(FactKind)
_NOW: Final[ColumnElement[datetime]] = literal_column("clock_timestamp()")
_RESCHEDULE: Final = text("""
    update deliveries set next_attempt_at = clock_timestamp() + make_interval(secs => :delay_s)
    where id = :id and acknowledged_at is null
""")


_ENQUEUE: Final = text("""
    with added as (
        insert into deliveries (referral_id, kind, event_id, signal, acknowledged_at)
        select :referral_id, kind, event_id, signal, case when needed then null else now() end
        from unnest(
            cast(:kinds as text[]), cast(:event_ids as text[]),
            cast(:signals as text[]), cast(:needs as boolean[])
        ) with ordinality as news (kind, event_id, signal, needed, step)
        order by step
        on conflict do nothing
        returning kind, acknowledged_at
    )
    select pg_notify('courier', case kind when 'invitation' then kind else '' end)
    from added where acknowledged_at is null limit 1
""")


INVITATION: Final = "invitation"


class Lane(StrEnum):
    """Deliveries that wait for each other; nobody waits for an invitation to be started."""

    ANY = "any"
    UPDATES = "news"
    INVITATIONS = "invitations"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """Something that a workflow has to hear or, not needed, only has its row for the record."""

    kind: str
    event_id: str
    signal: str | None
    needed: bool


# Two ranges of the index, where an inequality would read all that waits.
_LANES: Final = {
    Lane.ANY: true(),
    Lane.UPDATES: or_(Delivery.kind < INVITATION, Delivery.kind > INVITATION),
    Lane.INVITATIONS: Delivery.kind == INVITATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedDelivery:
    """One thing that a workflow has to hear now; this courier has it until its lease ends."""

    id: int
    referral: Referral
    kind: str
    event_id: str
    signal: str | None
    attempts: int
    fact: Fact | None


async def enqueue(
    session: Session,
    referral_id: UUID,
    *,
    kind: str,
    event_id: str,
    signal: str | None,
    needed: bool = True,
) -> None:
    """Added once, however often it is asked for; one not needed is born acknowledged."""
    news = NewDelivery(kind=kind, event_id=event_id, signal=signal, needed=needed)
    await enqueue_all(session, referral_id, [news])


async def enqueue_all(session: Session, referral_id: UUID, news: Sequence[NewDelivery]) -> None:
    """In their order, which is also that in which they will be carried."""
    values = {
        "referral_id": referral_id,
        "kinds": [one.kind for one in news],
        "event_ids": [one.event_id for one in news],
        "signals": [one.signal for one in news],
        "needs": [one.needed for one in news],
    }
    await session.execute(_ENQUEUE, values)


async def lease(
    session: Session, *, limit: int, lasting: timedelta, lane: Lane = Lane.ANY
) -> tuple[LeasedDelivery, ...]:
    """Take what is due, oldest first, so that no other courier carries it meanwhile."""
    due = (
        select(Delivery.id)
        .where(Delivery.acknowledged_at.is_(None), Delivery.next_attempt_at <= _NOW)
        .where(_LANES[lane])
        .order_by(Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = await session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(select(due.c.id)))
        .values(next_attempt_at=_NOW + lasting, attempts=Delivery.attempts + 1)
        .returning(Delivery)
        .execution_options(synchronize_session=False)
    )
    leased = sorted(rows, key=lambda row: row.id)
    starts = await _starts(session, {row.referral_id for row in leased})
    facts = await _facts(session, leased)
    return tuple(_leased_delivery(row, starts[row.referral_id], facts) for row in leased)


async def acknowledge(session: Session, ids: Sequence[int]) -> None:
    await session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.acknowledged_at.is_(None))
        .values(acknowledged_at=_NOW)
    )


async def reschedule(session: Session, delays_s: Mapping[int, float]) -> None:
    """Give back what could not be carried, each to be tried again after its own delay."""
    if delays_s:
        values = [{"id": id_, "delay_s": delay_s} for id_, delay_s in delays_s.items()]
        await session.execute(_RESCHEDULE, values)


async def _starts(session: Session, referral_ids: set[UUID]) -> dict[UUID, Referral]:
    rows = await session.scalars(select(ReferralRow).where(ReferralRow.id.in_(referral_ids)))
    return {row.id: workflow_input_of(row) for row in rows}


async def _facts(session: Session, rows: Sequence[Delivery]) -> dict[tuple[str, str], Fact]:
    keys = [(FactKind(row.kind), row.event_id) for row in rows if row.kind in _KINDS]
    found = await session.execute(
        select(FactRow.kind, FactRow.event_id, FactRow.body).where(
            tuple_(FactRow.kind, FactRow.event_id).in_(keys)
        )
    )
    return {(row.kind, row.event_id): fact_of(row.kind, row.body) for row in found}


def _leased_delivery(
    row: Delivery, referral: Referral, facts: dict[tuple[str, str], Fact]
) -> LeasedDelivery:
    return LeasedDelivery(
        id=row.id,
        referral=referral,
        kind=row.kind,
        event_id=row.event_id,
        signal=row.signal,
        attempts=row.attempts,
        fact=facts.get((row.kind, row.event_id)),
    )
