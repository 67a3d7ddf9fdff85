"""Sessions of the console: begun by a sign-in, found by a cookie, ended by a sign-out."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update

from db.engine import ReadSession, Session
from db.tables import ConsoleLink, ConsoleSession, PersonRow
from domain.people import person_id_of
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.access.console.people import TOKEN_BYTES, Person, hash_token
from referrals.access.console.roles import Role

SESSION_LIFETIME: Final = timedelta(hours=12)
"""A working day; then the person signs in again."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended, without its token."""

    name: str
    role: str
    began_at: datetime
    expires_at: datetime


async def begin(
    session: Session, person: Person, *, request_id: str, means: str, now: datetime
) -> str:
    """Begin a session and return its token; `means` is what let the person in."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "token_hash": hash_token(token),
        "person_id": person.person_id,
        "role": person.role.value,
        "expires_at": now + SESSION_LIFETIME,
    }
    await session.execute(insert(ConsoleSession).values(values))
    actor = Actor(name=person.name, request_id=request_id, reason=f"signed in by {means}")
    await audit.write(
        session,
        actor,
        action="console.sign_in",
        subject=f"person:{person.person_id}",
        details={"role": person.role.value},
    )
    return token


async def find_person(session: ReadSession, token: str, *, now: datetime) -> Person | None:
    """Return who is signed in by a token, or None."""
    query = (
        select(ConsoleSession.person_id, ConsoleSession.role, PersonRow.name)
        .join(PersonRow, PersonRow.id == ConsoleSession.person_id)
        .where(
            ConsoleSession.token_hash == hash_token(token),
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > now,
        )
    )
    row = (await session.execute(query)).one_or_none()
    return row and Person(person_id=row.person_id, name=row.name, role=Role(row.role))


async def end(session: Session, token: str, *, now: datetime) -> None:
    await session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.token_hash == hash_token(token), ConsoleSession.ended_at.is_(None))
        .values(ended_at=now)
    )


async def list_open(session: ReadSession, *, now: datetime) -> Sequence[OpenSession]:
    """Return the sessions that are open, the newest first."""
    query = (
        select(
            PersonRow.name,
            ConsoleSession.role,
            ConsoleSession.created_at,
            ConsoleSession.expires_at,
        )
        .join(PersonRow, PersonRow.id == ConsoleSession.person_id)
        .where(ConsoleSession.ended_at.is_(None), ConsoleSession.expires_at > now)
        .order_by(ConsoleSession.created_at.desc(), PersonRow.name)
    )
    return [OpenSession(*row) for row in await session.execute(query)]


async def end_of_person(session: Session, name: str, *, actor: Actor, now: datetime) -> int:
    """End the open sessions of a person and use up their links; return the number of both."""
    person_id = person_id_of(name)
    # Links first: a sign-in that is under way holds its link until its session can be seen.
    links = await session.scalars(
        update(ConsoleLink)
        .where(
            ConsoleLink.person_id == person_id,
            ConsoleLink.used_at.is_(None),
            ConsoleLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(ConsoleLink.token_hash)
    )
    ended = await session.scalars(
        update(ConsoleSession)
        .where(
            ConsoleSession.person_id == person_id,
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > now,
        )
        .values(ended_at=now)
        .returning(ConsoleSession.token_hash)
    )
    details = {"sessions": len(ended.all()), "links": len(links.all())}
    if any(details.values()):
        await audit.write(
            session,
            actor,
            action="console.end_sessions",
            subject=f"person:{person_id}",
            details=details,
        )
    return sum(details.values())
