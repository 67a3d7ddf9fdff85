"""Kill switches as rows: turned by people, read by everything that promises or pays."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import exists, func, insert, select, text

from db.engine import ReadSession, Session
from db.locks import lock_key
from db.tables import Campaign, SwitchRow
from db.wakes import write_and_wake
from domain.campaigns.switches import SwitchState, scopes_of
from domain.intake.facts import FactKind
from domain.lifecycle.signals import LOOK, Signal
from referrals.access import audit
from referrals.access.audit import Actor

_LOCK: Final = "switches"
WOKEN: Final = "switched/"
"""Prefix of the wake-ups' event ids. A `/` is in no id of a caller."""

# The latest turn of each scope, up to a time.
_OFF: Final = text("""
    select scope from (
        select distinct on (scope) scope, is_off from switches
         where (cast(:scopes as varchar[]) is null or scope = any(cast(:scopes as varchar[])))
           and (cast(:at as timestamptz) is null or at <= :at)
         order by scope, id desc
    ) as latest
    where is_off order by scope
""")
_SHARE_LOCK: Final = text("select pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_JURISDICTION: Final = text("""
    select body ->> 'jurisdiction' from facts where kind = :kind and event_id = :event_id
""")
# All that waits for a switch looks again, the longest waiting first: one that another switch
# keeps, or that another reason holds, goes on waiting.
_WAKE: Final = text("""
    with woken as (
        insert into deliveries (referral_id, kind, event_id, signal)
        select h.referral_id, :kind, :event_id, :signal from holds h
         where h.reason = 'switched_off' and h.cleared_at is null
         order by h.since, h.referral_id
        on conflict do nothing
        returning id
    )
    select id from woken limit 1
""")


class SwitchOutcome(StrEnum):
    """The outcome of turning a switch."""

    TURNED = "turned"
    SAME = "same"
    UNKNOWN_CAMPAIGN = "unknown_campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchView:
    """A switch as people read it; one that was never turned is on, and in no list."""

    scope: str
    state: SwitchState
    reason: str
    switched_by: str
    switched_at: datetime


async def turn(session: Session, scope: str, state: SwitchState, actor: Actor) -> SwitchOutcome:
    """Turn a switch; on again, wake everything that waits for one.

    The same state again changes nothing. Acts that found it off hold the lock in share until they
    have written that they wait, so that none misses its waking.
    """
    is_off = state is SwitchState.OFF
    await lock_key(session, _LOCK)
    if not await _is_known(session, scope):
        return SwitchOutcome.UNKNOWN_CAMPAIGN
    known = await find_switch(session, scope)
    if known is not None and known.state is state:
        return SwitchOutcome.SAME
    values = {
        "scope": scope,
        "is_off": is_off,
        "reason": actor.reason,
        "switched_by": actor.name,
        "at": func.clock_timestamp(),
    }
    turned = await session.scalar(insert(SwitchRow).values(values).returning(SwitchRow.id))
    await audit.write(
        session, actor, action=f"switch.{state}", subject=f"switch:{scope}", details={}
    )
    if not is_off:
        await _wake(session, f"{WOKEN}{turned}")
    return SwitchOutcome.TURNED


async def find_off(
    session: ReadSession, scopes: Collection[str] | None = None, *, at: datetime | None = None
) -> Sequence[str]:
    """Return which of the scopes, or of all, are off now, or were at a time."""
    asked = None if scopes is None else sorted(scopes)
    return (await session.scalars(_OFF, {"scopes": asked, "at": at})).all()


async def find_off_and_keep(
    session: Session, *, campaign: str, signup_event_id: str | None
) -> Sequence[str]:
    """Return the scopes of a referral that are off; if any is, they stay so until the act ends.

    The jurisdiction is the one of its signup.
    """
    if not await find_off(session):
        return ()
    values = {"kind": FactKind.SIGNUP, "event_id": signup_event_id}
    jurisdiction = await session.scalar(_JURISDICTION, values)
    scopes = scopes_of(campaign=campaign, jurisdiction=jurisdiction)
    if not await find_off(session, scopes):
        return ()
    await session.execute(_SHARE_LOCK, {"key": _LOCK})
    return await find_off(session, scopes)


async def list_switches(session: ReadSession) -> Sequence[SwitchView]:
    """Return every switch that was ever turned, with its latest turn."""
    latest = select(func.max(SwitchRow.id)).group_by(SwitchRow.scope)
    query = select(SwitchRow).where(SwitchRow.id.in_(latest)).order_by(SwitchRow.scope)
    rows = await session.scalars(query)
    return [_view(row) for row in rows]


async def find_switch(session: ReadSession, scope: str) -> SwitchView | None:
    query = select(SwitchRow).where(SwitchRow.scope == scope).order_by(SwitchRow.id.desc())
    row = await session.scalar(query.limit(1))
    return None if row is None else _view(row)


async def _is_known(session: ReadSession, scope: str) -> bool:
    kind, _, slug = scope.partition(":")
    if kind != "campaign":
        return True
    return bool(await session.scalar(select(exists().where(Campaign.slug == slug))))


async def _wake(session: Session, event_id: str) -> None:
    values = {
        "kind": LOOK,
        "event_id": event_id,
        "signal": Signal.LOOK.value,
    }
    await write_and_wake(session, _WAKE, values)


def _view(row: SwitchRow) -> SwitchView:
    return SwitchView(
        scope=row.scope,
        state=SwitchState.OFF if row.is_off else SwitchState.ON,
        reason=row.reason,
        switched_by=row.switched_by,
        switched_at=row.at,
    )
