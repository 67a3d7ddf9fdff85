"""Approvals of what needs two people: a second person must approve the same content."""

import unicodedata
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
from referrals.access.audit import Actor

_NAMESPACE: Final = UUID("5b0c1e0e-6f5c-4f43-9a3e-6a6f0e3d0b11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """A subject and its content as a fingerprint, so that changed content is approved anew."""

    subject: str
    action: str
    content: str


def person_of(name: str) -> str:
    """Return one spelling for all spellings of a person's name, by which people are told apart."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


async def approve(session: Session, asked: Approvable, actor: Actor, *, at: datetime) -> bool:
    """Record a person's approval; return whether another person had approved the same content.

    The caller holds a lock on the subject. The same approval again records nothing new.
    """
    person = person_of(actor.name)
    values = {
        "id": derived_id(_NAMESPACE, asked.subject, asked.action, asked.content, person),
        "subject": asked.subject,
        "action": asked.action,
        "content": asked.content,
        "person": person,
        "approved_by": actor.name,
        "reason": actor.reason,
        "at": at,
    }
    await session.execute(insert(ApprovalRow).values(values).on_conflict_do_nothing())
    return any(row.person != person for row in await approvals_of(session, asked))


async def approvals_of(session: ReadSession, asked: Approvable) -> Sequence[ApprovalRow]:
    """Return the approvals of this content, oldest first."""
    query = select(ApprovalRow).where(
        ApprovalRow.subject == asked.subject,
        ApprovalRow.action == asked.action,
        ApprovalRow.content == asked.content,
    )
    return (await session.scalars(query.order_by(ApprovalRow.at, ApprovalRow.id))).all()
