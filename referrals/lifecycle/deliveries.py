"""Deliveries to referrals' workflows: enqueued once, leased, repeated until acknowledged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Final
from uuid import NAMESPACE_OID, UUID, uuid5

import structlog
from sqlalchemy import RowMapping, text

from db import notifications
from db.engine import Session, StatementExecutor
from db.faults import describe
from db.tables import ReferralRow
from db.wakes import wake_after_commit, write_and_wake
from domain.intake.facts import Fact, FactKind, kind_of
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Referral, Stage
from domain.lifecycle.signals import INVITATION, LOOK, SIGNAL_BY_FACT_KIND, Signal
from referrals.intake.facts import FACT_FAULTS, fact_of
from referrals.lifecycle.stages import workflow_input_of

log = structlog.get_logger()

_READ_COLUMNS: Final = (
    *("campaign_slug", "code", "referrer_id", "referee_id", "until", "terms"),
    *("invited_at", "signed_up_at", "reminded_until"),
)
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
_RECORD_RESULTS: Final = text("""
    update deliveries
       set acknowledged_at = case when delay_s is null then clock_timestamp() end,
           next_attempt_at = case when delay_s is null then next_attempt_at
                             else clock_timestamp() + make_interval(secs => delay_s) end
      from unnest(cast(:ids as bigint[]), cast(:delays_s as double precision[]))
           as ended (ended_id, delay_s)
     where deliveries.id = ended_id and acknowledged_at is null
""")


# Locks the referrals that may pay a player in the order of their ids, in one statement however many
# there are, so that the player's row is not locked for as long as each of them would take.
_ENQUEUE_TO_REFERRALS_OF: Final = text("""
    with waiting as materialized (
        select id from referrals
         where referrer_id = :player_id and (stage = any(:stages) or awaits_funds)
         order by id for no key update
    ), added as (
        insert into deliveries (referral_id, kind, event_id, signal, acknowledged_at)
        select waiting.id, kind, event_id, signal, case when needed then null else now() end
        from waiting cross join unnest(
            cast(:kinds as text[]), cast(:event_ids as text[]),
            cast(:signals as text[]), cast(:needed as boolean[])
        ) with ordinality as new (kind, event_id, signal, needed, step)
        order by waiting.id, step
        on conflict do nothing
        returning acknowledged_at
    )
    select true from added where acknowledged_at is null limit 1
""")


class Lane(Enum):
    """Deliveries leased together: starts of invitations must not delay updates."""

    ANY = auto()
    UPDATES = auto()
    INVITATIONS = auto()


_CONDITIONS: Final = {
    Lane.ANY: "true",
    Lane.UPDATES: f"((kind = '{INVITATION}')::int) = 0",
    Lane.INVITATIONS: f"((kind = '{INVITATION}')::int) = 1",
}
# Due time orders a lane, so that what failed comes back behind what waits longer, and the index of
# lanes ends the search with the last row that is leased. The time is a subquery because an index
# cannot be searched by a function whose value may change meanwhile.
_LEASE: Final = {
    lane: text(f"""
        with due as materialized (
            select id from deliveries
             where acknowledged_at is null and {condition}
               and next_attempt_at <= (select clock_timestamp())
             order by next_attempt_at, id limit :limit
             for update skip locked
        ), leased as (
            update deliveries set next_attempt_at = clock_timestamp() + :lasting,
                   attempts = attempts + 1
              from due where deliveries.id = due.id
            returning deliveries.id, referral_id, deliveries.kind, event_id, signal, attempts
        )
        select leased.*, r.campaign_slug, r.code, r.referrer_id, r.referee_id, r.stage, r.until,
               r.terms, r.invited_at, r.signed_up_at, r.reminded_until, f.body
          from leased
          join referrals r on r.id = leased.referral_id
          left join facts f on f.kind = leased.kind and f.event_id = leased.event_id
         order by leased.id
    """)  # noqa: S608 - made of constants
    for lane, condition in _CONDITIONS.items()
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
    values = {"referral_id": referral_id, **_columns_of(new)}
    kind = await session.scalar(_ENQUEUE, values)
    if kind is not None:
        is_invitation = kind == INVITATION
        wake_after_commit(
            session,
            notifications.INVITATIONS if is_invitation else notifications.UPDATES,
        )


async def enqueue_to_referrals_of(
    session: Session, referrer_id: str, stages: Collection[Stage], *new: NewDelivery
) -> None:
    """Write deliveries to the referrals of a locked referrer at `stages`, or that await funds."""
    values = {"player_id": referrer_id, "stages": [stage.value for stage in stages]}
    await write_and_wake(session, _ENQUEUE_TO_REFERRALS_OF, values | _columns_of(new))


def _columns_of(new: Sequence[NewDelivery]) -> dict[str, list[Any]]:
    return {
        "kinds": [delivery.kind for delivery in new],
        "event_ids": [delivery.event_id for delivery in new],
        "signals": [delivery.signal for delivery in new],
        "needed": [delivery.is_needed for delivery in new],
    }


async def lease(
    session: StatementExecutor, *, limit: int, lasting: timedelta, lane: Lane = Lane.ANY
) -> tuple[LeasedDelivery, ...]:
    """Lease up to `limit` due deliveries, those due longest first, for the duration `lasting`.

    Returned in the order of their ids. One statement, which reads as many rows as it leases. A
    delivery to a referral that this release cannot read is left to another one.
    """
    rows = await session.execute(_LEASE[lane], {"limit": limit, "lasting": lasting})
    leased = [_leased_delivery(row) for row in rows.mappings()]
    return tuple(delivery for delivery in leased if delivery is not None)


async def record_results(
    session: StatementExecutor, *, sent: Sequence[int], delays_s: Mapping[int, float]
) -> None:
    """Acknowledge what was sent, and make due again, each after its own delay, what failed."""
    ids = [*sent, *delays_s]
    if ids:
        delays: list[float | None] = [None] * len(sent)
        values = {"ids": ids, "delays_s": [*delays, *delays_s.values()]}
        await session.execute(_RECORD_RESULTS, values)


async def acknowledge(session: StatementExecutor, ids: Sequence[int]) -> None:
    await record_results(session, sent=ids, delays_s={})


def _leased_delivery(row: RowMapping) -> LeasedDelivery | None:
    try:
        referral = _referral_of(row)
    except FACT_FAULTS as unreadable:
        id_ = str(row["referral_id"])
        log.warning("referral_unreadable", referral_id=id_, error=describe(unreadable))
        return None
    found = None if row["body"] is None else _decode(FactKind(row["kind"]), row["body"])
    fact, fault = (None, found) if isinstance(found, Exception) else (found, None)
    return LeasedDelivery(
        id=row["id"],
        referral=referral,
        kind=row["kind"],
        event_id=row["event_id"],
        signal=row["signal"],
        attempts=row["attempts"],
        fact=fact,
        fault=fault,
    )


def _referral_of(row: RowMapping) -> Referral:
    columns = {name: row[name] for name in _READ_COLUMNS}
    stored = ReferralRow(id=row["referral_id"], stage=Stage(row["stage"]), **columns)
    return workflow_input_of(stored)


def _decode(kind: FactKind, body: dict[str, Any]) -> Fact | Exception:
    try:
        return fact_of(kind, body)
    except FACT_FAULTS as fault:
        return fault
