"""Claims and notes: a reviewer takes a case for a while, gives it back, and writes notes."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import CaseNote, CaseRow
from domain.derived_ids import derived_id
from domain.fraud.cases import CaseStatus
from domain.people import is_same_person, person_of
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.cases.store import holder_of, is_player_of, lock_case

CLAIM_DURATION: Final = timedelta(minutes=30)
"""Lease of a claim; its holder may claim again to make it longer."""


class CaseOutcome(StrEnum):
    """The outcome of a reviewer's act on a case."""

    CHANGED = "changed"
    SAME = "same"
    SECOND_PERSON_REQUIRED = "second_person_required"
    UNKNOWN = "unknown"
    OWN_REFERRAL = "own_referral"
    CLAIMED = "claimed"
    ALREADY_DECIDED = "already_decided"
    CLOSED = "closed"
    VERSION_CHANGED = "version_changed"


async def claim(session: Session, case_id: UUID, actor: Actor, *, now: datetime) -> CaseOutcome:
    """Lease an open case to a reviewer, or make their lease longer."""
    case = await lock_case(session, case_id)
    refusal = await refusal_of(session, case, actor, now=now)
    if case is None or refusal is not None:
        return refusal or CaseOutcome.UNKNOWN
    case.claimed_by, case.claimed_until = actor.name, now + CLAIM_DURATION
    await write_audit(session, case, actor, "claim", until=case.claimed_until.isoformat())
    return CaseOutcome.CHANGED


async def release(session: Session, case_id: UUID, actor: Actor, *, now: datetime) -> CaseOutcome:
    """End the caller's lease of a case; without a lease nothing changes."""
    case = await lock_case(session, case_id)
    if case is None:
        return CaseOutcome.UNKNOWN
    holder = holder_of(case, now=now)
    if holder is None:
        return CaseOutcome.SAME
    if not is_same_person(holder, actor.name):
        return CaseOutcome.CLAIMED
    case.claimed_by = case.claimed_until = None
    await write_audit(session, case, actor, "release")
    return CaseOutcome.CHANGED


async def add_note(
    session: Session, case_id: UUID, text: str, actor: Actor, *, now: datetime
) -> CaseOutcome:
    """Add a note to a case, decided or not; the same note of the same person is written once."""
    case = await lock_case(session, case_id)
    if case is None:
        return CaseOutcome.UNKNOWN
    if await is_player_of(session, case, actor.name):
        return CaseOutcome.OWN_REFERRAL
    values = {
        "id": derived_id(case.id, "note", person_of(actor.name), text),
        "case_id": case.id,
        "author": actor.name,
        "text": text,
        "at": now,
    }
    written = await session.scalar(
        insert(CaseNote).values(values).on_conflict_do_nothing().returning(CaseNote.id)
    )
    if written is None:
        return CaseOutcome.SAME
    await write_audit(session, case, actor, "note")
    return CaseOutcome.CHANGED


async def refusal_of(
    session: Session, case: CaseRow | None, actor: Actor, *, now: datetime
) -> CaseOutcome | None:
    """Return why a reviewer may not work on a case, or None."""
    if case is None:
        return CaseOutcome.UNKNOWN
    if await is_player_of(session, case, actor.name):
        return CaseOutcome.OWN_REFERRAL
    if case.status != CaseStatus.OPEN:
        is_decided = case.status == CaseStatus.DECIDED
        return CaseOutcome.ALREADY_DECIDED if is_decided else CaseOutcome.CLOSED
    holder = holder_of(case, now=now)
    is_others = holder is not None and not is_same_person(holder, actor.name)
    return CaseOutcome.CLAIMED if is_others else None


async def write_audit(
    session: Session,
    case: CaseRow,
    actor: Actor,
    action: str,
    **details: Any,  # noqa: ANN401 - any JSON values
) -> None:
    await audit.write(
        session, actor, action=f"case.{action}", subject=f"case:{case.id}", details=details
    )
