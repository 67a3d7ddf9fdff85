"""People of the console, and the links that sign each in once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update

from db.engine import Session
from db.tables import ConsoleLink, PersonRow
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.access.console.roles import Role
from referrals.access.people import ensure_person

LINK_LIFETIME: Final = timedelta(hours=1)
"""Time for which a link that nobody has opened signs in."""
TOKEN_BYTES: Final = 32
"""Entropy of links and sessions in bytes: too much to guess, so an unsalted hash suffices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person in a role."""

    person_id: UUID
    name: str
    role: Role


async def create_link(
    session: Session, *, name: str, role: Role, actor: Actor, now: datetime
) -> str:
    """Create a link for a person and return its token; only its hash is stored."""
    person_id = await ensure_person(session, name)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "token_hash": hash_token(token),
        "person_id": person_id,
        "role": role.value,
        "expires_at": now + LINK_LIFETIME,
    }
    await session.execute(insert(ConsoleLink).values(values))
    await audit.write(
        session,
        actor,
        action="console.link",
        subject=f"person:{person_id}",
        details={"name": name, "role": role.value},
    )
    return token


async def use_link(session: Session, token: str, *, now: datetime) -> Person | None:
    """Use a link up and return its person; None for one that is used, too old or unknown."""
    used = (
        await session.execute(
            update(ConsoleLink)
            .where(
                ConsoleLink.token_hash == hash_token(token),
                ConsoleLink.used_at.is_(None),
                ConsoleLink.expires_at > now,
            )
            .values(used_at=now)
            .returning(ConsoleLink.person_id, ConsoleLink.role)
        )
    ).one_or_none()
    if used is None:
        return None
    name = await session.scalar(select(PersonRow.name).where(PersonRow.id == used.person_id))
    return Person(person_id=used.person_id, name=name or "", role=Role(used.role))


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
