"""Rebinds: support wishes to bind a player to another code, and a second person decides."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, select

from db import paging
from db.engine import ReadSession, Session
from db.paging import Page, PageRequest, Position
from db.tables import FactRow, Rebind
from domain.attribution.policy import Method
from domain.intake.facts import Choice, FactKind
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.attribution import reattribution as rebinding
from referrals.attribution.log import BOUND, KNOWN, REBOUND, Attempt, Entry
from referrals.attribution.reattribution import CodeClaim
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers

DONE: Final = (BOUND, REBOUND, KNOWN)


class Status(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"


class Outcome(StrEnum):
    DECIDED = "decided"
    SAME = "same"
    UNKNOWN = "unknown"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_PLAYER = "unknown_player"
    SAME_PERSON = "same_person"
    ALREADY_DECIDED = "already_decided"


@dataclass(frozen=True, slots=True)
class Decided:
    outcome: Outcome
    rebind: Rebind | None = None


async def propose(session: Session, *, player_id: str, code: str, actor: Actor) -> Decided:
    """Write the wish down; nothing changes before somebody else approves it."""
    if await offers.find(session, code) is None:
        return Decided(Outcome.UNKNOWN_CODE)
    signed_up = exists().where(FactRow.player_id == player_id, FactRow.kind == FactKind.SIGNUP)
    if not await session.scalar(select(signed_up)):
        return Decided(Outcome.UNKNOWN_PLAYER)
    row = Rebind(
        id=uuid4(),
        player_id=player_id,
        code=code,
        reason=actor.reason,
        proposed_by=actor.name,
        status=Status.PROPOSED,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    await _told(session, row, "propose", actor)
    return Decided(Outcome.DECIDED, row)


async def decide(
    session: Session,
    rebind_id: UUID,
    choice: Choice,
    actor: Actor,
    *,
    tokens: Tokens,
    now: datetime,
) -> Decided:
    """A second person's word, once. Approved, it is tried at once; REFUSED says why it failed."""
    row = await session.scalar(select(Rebind).where(Rebind.id == rebind_id).with_for_update())
    if row is None:
        return Decided(Outcome.UNKNOWN)
    refusal = _refusal(row, choice, actor)
    if refusal is not None:
        return Decided(refusal, row)
    outcome = referral_id = None
    status = Status.REJECTED
    if choice is Choice.APPROVE:
        mind = _mind(row, actor, now=now)
        binding = await rebinding.change(session, mind, tokens=tokens, now=now)
        outcome, referral_id = binding.outcome, binding.referral_id
        status = Status.APPROVED if outcome in DONE else Status.REFUSED
    row.status, row.outcome, row.referral_id = status, outcome, referral_id
    row.decided_by, row.decided_at, row.decision_reason = actor.name, now, actor.reason
    await session.flush()
    await _told(session, row, choice, actor)
    return Decided(Outcome.DECIDED, row)


def _refusal(row: Rebind, choice: Choice, actor: Actor) -> Outcome | None:
    """Why this word changes nothing: another was said before, or by the same person."""
    if row.status == Status.PROPOSED:
        return Outcome.SAME_PERSON if row.proposed_by == actor.name else None
    said = Choice.REJECT if row.status == Status.REJECTED else Choice.APPROVE
    same = said is choice and row.decided_by == actor.name
    return Outcome.SAME if same else Outcome.ALREADY_DECIDED


async def listing(
    session: ReadSession, part: PageRequest, *, player_id: str | None, status: Status | None
) -> Page[Rebind]:
    """Newest first."""
    query = select(Rebind)
    if player_id is not None:
        query = query.where(Rebind.player_id == player_id)
    if status is not None:
        query = query.where(Rebind.status == status)
    query = paging.newest_first(query, part, at=Rebind.proposed_at, id_=Rebind.id)
    rows = (await session.scalars(query)).all()
    return paging.cut_page(rows, part, lambda row: Position(row.proposed_at, row.id))


def _mind(row: Rebind, actor: Actor, *, now: datetime) -> CodeClaim:
    both = f"{row.proposed_by} and {actor.name}"
    entry = Entry(
        attempt_id=f"rebind:{row.id}",
        attempt=Attempt.REBIND,
        player_id=row.player_id,
        actor=both,
        reason=row.reason,
    )
    return CodeClaim(
        entry=entry, player_id=row.player_id, code=row.code, told_at=now, method=Method.MANUAL
    )


async def _told(session: Session, row: Rebind, act: str, actor: Actor) -> None:
    await audit.write(
        session,
        actor,
        action=f"rebind.{act}",
        subject=f"player:{row.player_id}",
        details={"rebind_id": str(row.id), "code": row.code},
    )
