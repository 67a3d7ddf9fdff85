"""Sessions of the console: begun by a sign-in, found by a cookie, ended by a sign-out."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update

from db.engine import ReadSession, Session
from db.tables import ConsolePerson, ConsoleSession
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.access.console.people import TOKEN_BYTES, Person, hash_token
from referrals.access.console.roles import Role

SESSION_LIFETIME: Final = timedelta(hours=12)
"""A working day; then the person signs in again."""


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
        select(ConsoleSession.person_id, ConsoleSession.role, ConsolePerson.name)
        .join(ConsolePerson, ConsolePerson.id == ConsoleSession.person_id)
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
