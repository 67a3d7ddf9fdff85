"""Rebinds: support proposes to bind a player to another code, and a second person decides."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import exists, select

from db import paging
from db.engine import ReadSession, Session
from db.paging import Page, PageRequest, Position
from db.tables import FactRow, Rebind
from domain.attribution.policy import Method
from domain.intake.facts import Choice, FactKind
from domain.people import is_same_person
from referrals.access import audit
from referrals.access.approvals import Approvable, approve
from referrals.access.audit import Actor
from referrals.access.own_players import is_own
from referrals.attribution.claims import CodeClaim, apply_claim
from referrals.attribution.log import (
    ACCEPTED_OUTCOMES,
    AttemptKind,
    AttributionAttempt,
    attempt_id_of,
)
from referrals.attribution.tokens import Tokens
from referrals.campaigns import offers


class Status(StrEnum):
    """The status of a rebind."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    REFUSED = "refused"


class RebindOutcome(StrEnum):
    """The outcome of proposing or deciding a rebind."""

    DECIDED = "decided"
    SAME = "same"
    UNKNOWN = "unknown"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_PLAYER = "unknown_player"
    SAME_PERSON = "same_person"
    OWN_REFERRAL = "own_referral"
    ALREADY_DECIDED = "already_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebindView:
    """A proposed rebind, and the decision about it once there is one."""

    rebind_id: UUID
    player_id: str
    code: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    status: Status
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    outcome: str | None
    referral_id: UUID | None


@dataclass(frozen=True, slots=True)
class RebindDecision:
    """The outcome of one call, and the rebind as it stands, if there is one."""

    outcome: RebindOutcome
    rebind: RebindView | None = None


async def propose(session: Session, *, player_id: str, code: str, actor: Actor) -> RebindDecision:
    """Record a proposal; nothing changes before another person approves it.

    OWN_REFERRAL for a person who is the player, or whose code it is.
    """
    offer = await offers.find(session, code)
    if offer is None:
        return RebindDecision(RebindOutcome.UNKNOWN_CODE)
    if await is_own(session, actor.name, player_id, offer.player_id):
        return RebindDecision(RebindOutcome.OWN_REFERRAL)
    signed_up = exists().where(FactRow.player_id == player_id, FactRow.kind == FactKind.SIGNUP)
    if not await session.scalar(select(signed_up)):
        return RebindDecision(RebindOutcome.UNKNOWN_PLAYER)
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
    await _audit(session, row, "propose", actor)
    return RebindDecision(RebindOutcome.DECIDED, _view(row))


async def decide(
    session: Session,
    rebind_id: UUID,
    choice: Choice,
    actor: Actor,
    *,
    tokens: Tokens,
    now: datetime,
) -> RebindDecision:
    """Record a second person's decision once; an approved rebind is applied at once.

    Its status is REFUSED where the rules no longer allow it.
    """
    row = await session.scalar(select(Rebind).where(Rebind.id == rebind_id).with_for_update())
    if row is None:
        return RebindDecision(RebindOutcome.UNKNOWN)
    if row.status != Status.PROPOSED:
        return RebindDecision(_repeated(row, choice, actor), _view(row))
    offer = await offers.find(session, row.code)
    owners = (row.player_id, offer.player_id) if offer is not None else (row.player_id,)
    if await is_own(session, actor.name, *owners):
        return RebindDecision(RebindOutcome.OWN_REFERRAL)
    asked = Approvable(subject=f"rebind:{row.id}", action=choice, content=_content(row))
    if not await approve(session, asked, actor, proposed_by=row.proposed_by, at=now):
        return RebindDecision(RebindOutcome.SAME_PERSON, _view(row))
    outcome = referral_id = None
    status = Status.REJECTED
    if choice is Choice.APPROVE:
        claim = _claim_of(row, actor, now=now)
        result = await apply_claim(session, claim, tokens=tokens, now=now)
        outcome, referral_id = result.outcome, result.referral_id
        status = Status.APPROVED if outcome in ACCEPTED_OUTCOMES else Status.REFUSED
    row.status, row.outcome, row.referral_id = status, outcome, referral_id
    row.decided_by, row.decided_at, row.decision_reason = actor.name, now, actor.reason
    await session.flush()
    await _audit(session, row, choice, actor)
    return RebindDecision(RebindOutcome.DECIDED, _view(row))


async def list_rebinds(
    session: ReadSession, part: PageRequest, *, player_id: str | None, status: Status | None
) -> Page[RebindView]:
    """Return a page of rebinds, newest first."""
    query = select(Rebind)
    if player_id is not None:
        query = query.where(Rebind.player_id == player_id)
    if status is not None:
        query = query.where(Rebind.status == status)
    query = paging.newest_first(query, part, at=Rebind.proposed_at, id_=Rebind.id)
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, part, lambda row: Position(row.proposed_at, row.id))
    return page.map(lambda items: [_view(row) for row in items])


def _repeated(row: Rebind, choice: Choice, actor: Actor) -> RebindOutcome:
    """Return SAME for the same decision by the same person, else ALREADY_DECIDED."""
    previous_choice = Choice.REJECT if row.status == Status.REJECTED else Choice.APPROVE
    is_by_same = is_same_person(row.decided_by or "", actor.name)
    is_same = previous_choice is choice and is_by_same
    return RebindOutcome.SAME if is_same else RebindOutcome.ALREADY_DECIDED


def _content(row: Rebind) -> str:
    """Return a fingerprint of what is proposed: this player, this code."""
    return hashlib.sha256(f"{row.player_id}\n{row.code}".encode()).hexdigest()


def _view(row: Rebind) -> RebindView:
    return RebindView(
        rebind_id=row.id,
        player_id=row.player_id,
        code=row.code,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        status=Status(row.status),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        outcome=row.outcome,
        referral_id=row.referral_id,
    )


def _claim_of(row: Rebind, actor: Actor, *, now: datetime) -> CodeClaim:
    both = f"{row.proposed_by} and {actor.name}"
    attempt = AttributionAttempt(
        attempt_id=attempt_id_of(AttemptKind.REBIND, row.id),
        kind=AttemptKind.REBIND,
        player_id=row.player_id,
        actor=both,
        reason=row.reason,
    )
    return CodeClaim(
        attempt=attempt,
        player_id=row.player_id,
        code=row.code,
        claimed_at=now,
        method=Method.MANUAL,
    )


async def _audit(session: Session, row: Rebind, action: str, actor: Actor) -> None:
    await audit.write(
        session,
        actor,
        action=f"rebind.{action}",
        subject=f"player:{row.player_id}",
        details={"rebind_id": str(row.id), "code": row.code},
    )
