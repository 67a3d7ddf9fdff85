"""Deliveries to referrals' workflows: enqueued once, leased, repeated until acknowledged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import ColumnElement, literal_column, or_, select, text, true, tuple_, update

from db import notifications
from db.engine import Session
from db.tables import Delivery, FactRow, ReferralRow
from db.wakes import wake_after_commit
from domain.intake.facts import Fact, FactKind, kind_of
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Referral, Stage
from domain.lifecycle.signals import INVITATION, LOOK, SIGNAL_BY_FACT_KIND, Signal
from referrals.intake.facts import FACT_FAULTS, fact_of
from referrals.lifecycle.stages import workflow_input_of

_FACT_KINDS: Final = frozenset(FactKind)
_Decoded = dict[tuple[str, str], Fact | Exception]
_NOW: Final[ColumnElement[datetime]] = literal_column("clock_timestamp()")

# Deliveries are carried in the order of their ids, so they are inserted in the order given.
_ENQUEUE: Final = text("""
    with added as (
        insert into deliveries (referral_id, kind, event_id, signal, acknowledged_at)
        select :referral_id, kind, event_id, signal, case when needed then null else now() end
        from unnest(
            cast(:kinds as text[]), cast(:event_ids as text[]),
            cast(:signals as text[]), cast(:needed as boolean[])
        ) with ordinality as new (kind, event_id, signal, needed, step)
        order by step
        on conflict do nothing
        returning kind, acknowledged_at
    )
    select kind from added where acknowledged_at is null limit 1
""")
_RESCHEDULE: Final = text("""
    update deliveries set next_attempt_at = clock_timestamp() + make_interval(secs => :delay_s)
    where id = :id and acknowledged_at is null
""")


class Lane(Enum):
    """Deliveries leased together: starts of invitations must not delay updates."""

    ANY = auto()
    UPDATES = auto()
    INVITATIONS = auto()


# Two ranges of the index, where an inequality would read every pending delivery.
_LANES: Final = {
    Lane.ANY: true(),
    Lane.UPDATES: or_(Delivery.kind < INVITATION, Delivery.kind > INVITATION),
    Lane.INVITATIONS: Delivery.kind == INVITATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A delivery to be written; one that is not needed is only recorded, never carried."""

    kind: str
    event_id: str
    signal: Signal | None
    is_needed: bool = True


def of_fact(fact: Fact, *, is_needed: bool = True) -> NewDelivery:
    """Return the delivery of a fact; it is not needed when facts of its kind send no signal."""
    kind = kind_of(fact)
    signal = SIGNAL_BY_FACT_KIND.get(kind)
    is_needed = is_needed and signal is not None
    return NewDelivery(kind=kind, event_id=fact.event_id, signal=signal, is_needed=is_needed)


def of_invitation(referral_id: UUID) -> NewDelivery:
    """Return the delivery that starts the workflow of a new invitation."""
    return NewDelivery(kind=INVITATION, event_id=str(referral_id), signal=None)


def of_loss(event_id: str) -> NewDelivery:
    """Return the delivery to a referral that has lost its signup to another one."""
    return NewDelivery(kind=LOOK, event_id=event_id, signal=Signal.SUPERSEDE)


def of_reopening(step: int) -> NewDelivery:
    """Return the delivery that starts the workflow of a re-opened referral again.

    It is named after the timeline's step; a `/` is in no id of a caller.
    """
    return NewDelivery(kind=LOOK, event_id=f"reopened/{step}", signal=Signal.LOOK)


def of_payment(order_id: UUID, *, step: str = "") -> NewDelivery:
    """Return the delivery that tells a referral's workflow to look at a wallet's answer.

    `step` names a further one, once the first was delivered.
    """
    event_id = "/".join(filter(None, ("payment", str(order_id), step)))
    return NewDelivery(kind=LOOK, event_id=event_id, signal=Signal.LOOK)


def of_circumstance(source: str, event_id: str) -> NewDelivery:
    """Return the delivery that makes a referral look at what its terms ask for beside deposits.

    It is named after the fact that told it, whose id alone may be as long as the column.
    """
    name = f"{source}/{uuid5(NAMESPACE_OID, event_id)}"
    return NewDelivery(kind=LOOK, event_id=name, signal=Signal.LOOK)


def of_merge(merge_id: UUID) -> NewDelivery:
    """Return the delivery that makes a referral look at players whom a late link joined."""
    return NewDelivery(kind=LOOK, event_id=f"merge/{merge_id}", signal=Signal.LOOK)


def of_clawback(case_id: UUID) -> NewDelivery:
    """Return the delivery that makes a credited referral look at a reviewer's rejection."""
    return NewDelivery(kind=LOOK, event_id=f"clawback/{case_id}", signal=Signal.LOOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedDelivery:
    """A delivery that is due; no other courier carries it until the lease ends."""

    id: int
    referral: Referral
    kind: str
    event_id: str
    signal: str | None
    attempts: int
    fact: Fact | None
    fault: Exception | None = None
    """Reason why this release cannot read the fact; another one may."""

    @property
    def needs_call(self) -> bool:
        """True for a signal, or while the referral is still INVITED and has to be started."""
        return self.signal is not None or self.referral.standing.stage is Stage.INVITED

    @property
    def may_start(self) -> bool:
        """True where the signal may start a workflow; at other stages only an open one needs it."""
        return self.referral.standing.stage in EARNING_STAGES | CREDITED_STAGES


async def enqueue(session: Session, referral_id: UUID, *new: NewDelivery) -> None:
    """Write deliveries in the order in which they are to be carried; known ones stay as they are.

    Those that are not needed are written as acknowledged.
    """
    values = {
        "referral_id": referral_id,
        "kinds": [delivery.kind for delivery in new],
        "event_ids": [delivery.event_id for delivery in new],
        "signals": [delivery.signal for delivery in new],
        "needed": [delivery.is_needed for delivery in new],
    }
    kind = await session.scalar(_ENQUEUE, values)
    if kind is not None:
        is_invitation = kind == INVITATION
        wake_after_commit(
            session,
            notifications.INVITATIONS if is_invitation else notifications.FACTS_OR_UPDATES,
        )


async def lease(
    session: Session, *, limit: int, lasting: timedelta, lane: Lane = Lane.ANY
) -> tuple[LeasedDelivery, ...]:
    """Lease up to `limit` due deliveries, oldest first, for the duration `lasting`."""
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
    """Make deliveries that failed due again, each after its own delay."""
    if delays_s:
        values = [{"id": id_, "delay_s": delay_s} for id_, delay_s in delays_s.items()]
        await session.execute(_RESCHEDULE, values)


async def _starts(session: Session, referral_ids: set[UUID]) -> dict[UUID, Referral]:
    rows = await session.scalars(select(ReferralRow).where(ReferralRow.id.in_(referral_ids)))
    return {row.id: workflow_input_of(row) for row in rows}


async def _facts(session: Session, rows: Sequence[Delivery]) -> _Decoded:
    """Return the facts of deliveries; in place of one that cannot be read, its fault."""
    keys = [(FactKind(row.kind), row.event_id) for row in rows if row.kind in _FACT_KINDS]
    found = await session.execute(
        select(FactRow.kind, FactRow.event_id, FactRow.body).where(
            tuple_(FactRow.kind, FactRow.event_id).in_(keys)
        )
    )
    return {(row.kind, row.event_id): _decode(row.kind, row.body) for row in found}


def _decode(kind: FactKind, body: dict[str, Any]) -> Fact | Exception:
    try:
        return fact_of(kind, body)
    except FACT_FAULTS as fault:
        return fault


def _leased_delivery(row: Delivery, referral: Referral, facts: _Decoded) -> LeasedDelivery:
    found = facts.get((row.kind, row.event_id))
    fact, fault = (None, found) if isinstance(found, Exception) else (found, None)
    return LeasedDelivery(
        id=row.id,
        referral=referral,
        kind=row.kind,
        event_id=row.event_id,
        signal=row.signal,
        attempts=row.attempts,
        fact=fact,
        fault=fault,
    )
