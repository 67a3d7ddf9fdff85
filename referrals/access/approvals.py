"""Approvals of what needs two people: a second person must approve the same content."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import ApprovalRow
from domain.derived_ids import derived_id
from domain.people import person_id_of, person_of
from referrals.access.audit import Actor
from referrals.access.people import ensure_person

_NAMESPACE: Final = UUID("5b0c1e0e-6f5c-4f43-9a3e-6a6f0e3d0b11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """A subject and its content as a fingerprint, so that changed content is approved anew."""

    subject: str
    action: str
    content: str


async def approve(
    session: Session,
    asked: Approvable,
    actor: Actor,
    *,
    at: datetime,
    proposed_by: str | None = None,
) -> bool:
    """Record a person's approval; return whether they are the second person.

    `proposed_by` names the first one, whose own approval is not recorded; without it, that is who
    approved the same content before. People are compared by their ids, which all spellings of a
    name share. The caller holds a lock on the subject.
    """
    given = await approvals_of(session, asked)
    proposers = [person_id_of(proposed_by)] if proposed_by is not None else _people_of(given)
    proposer_id = next((one for one in proposers if one != person_id_of(actor.name)), None)
    if proposer_id is None and proposers:
        return False
    if proposed_by is not None:
        await ensure_person(session, proposed_by)
    await _record(session, asked, actor, proposer_id=proposer_id, at=at)
    return proposer_id is not None


async def approvals_of(session: ReadSession, asked: Approvable) -> Sequence[ApprovalRow]:
    """Return the approvals of this content, oldest first."""
    query = select(ApprovalRow).where(
        ApprovalRow.subject == asked.subject,
        ApprovalRow.action == asked.action,
        ApprovalRow.content == asked.content,
    )
    return (await session.scalars(query.order_by(ApprovalRow.at, ApprovalRow.id))).all()


def _people_of(given: Sequence[ApprovalRow]) -> list[UUID]:
    # A row of a release before people had ids names its person alone.
    return [row.person_id or person_id_of(row.person) for row in given]


async def _record(
    session: Session, asked: Approvable, actor: Actor, *, proposer_id: UUID | None, at: datetime
) -> None:
    person = person_of(actor.name)
    values = {
        "id": derived_id(_NAMESPACE, asked.subject, asked.action, asked.content, person),
        "subject": asked.subject,
        "action": asked.action,
        "content": asked.content,
        "person": person,
        "person_id": await ensure_person(session, actor.name),
        "proposer_id": proposer_id,
        "approved_by": actor.name,
        "reason": actor.reason,
        "at": at,
    }
    await session.execute(insert(ApprovalRow).values(values).on_conflict_do_nothing())
