"""People of the console, and the links that sign each in once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from db.engine import Session
from db.tables import ConsoleLink, ConsolePerson
from domain.derived_ids import derived_id
from referrals.access import audit
from referrals.access.approvals import person_of
from referrals.access.audit import Actor
from referrals.access.console.roles import Role

LINK_LIFETIME: Final = timedelta(hours=1)
"""Time for which a link that nobody has opened signs in."""
MAX_NAME_CHARS: Final = 200
TOKEN_BYTES: Final = 32
"""Entropy of links and sessions in bytes: too much to guess, so an unsalted hash suffices."""
_NAMESPACE: Final = UUID("d2c11bde-6f3d-4b7d-9a54-5f1a4a7e0c32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person in a role."""

    person_id: UUID
    name: str
    role: Role


def name_error(name: str) -> str | None:
    """Return why a person may not have this name, or None."""
    if not person_of(name) or len(name) > MAX_NAME_CHARS or not name.isprintable():
        return f"a name has 1 to {MAX_NAME_CHARS} printable characters"
    return None


async def ensure_person(session: Session, name: str) -> UUID:
    """Return the id of the person of this name, who is added if new; spellings do not differ."""
    person = person_of(name)
    person_id = derived_id(_NAMESPACE, person)
    values = {"id": person_id, "person": person, "name": name.strip()}
    await session.execute(upsert(ConsolePerson).values(values).on_conflict_do_nothing())
    return person_id


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
    name = await session.scalar(
        select(ConsolePerson.name).where(ConsolePerson.id == used.person_id)
    )
    return Person(person_id=used.person_id, name=name or "", role=Role(used.role))


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
