"""API keys: high-entropy secrets of which only the SHA-256 is stored."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from db.engine import ReadSession, Session
from db.tables import ApiKey
from domain.intake.sources import DEFAULT_SOURCE, SOURCE_PATTERN
from referrals.access import audit
from referrals.access.audit import Actor

SCOPES: Final = (
    "codes:write",
    "signups:write",
    "deposits:write",
    "chargebacks:write",
    "wagers:write",
    "players:write",
    "withdrawals:write",
    "events:write",
    "spend:write",
    "players:read",
    "referrals:read",
    "rewards:read",
    "reviews:decide",
    "campaigns:write",
    "campaigns:publish",
    "rules:write",
    "rules:publish",
    "webhooks:write",
    "reports:read",
    "ledger:read",
    "admin",
)
"""Scopes that a key may have. `admin` includes all others; `events:write` those of the events."""

_PREFIX: Final = "rk_"
_SECRET_BYTES: Final = 32
"""Entropy of a key in bytes: too much to guess, so an unsalted hash suffices."""
_KEY_SHAPE: Final = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Owner and scopes of a valid key."""

    owner: str
    scopes: frozenset[str]
    source: str
    """Source of the events that the key reports."""

    def has_scope(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A key without its secret."""

    id: UUID
    owner: str
    scopes: tuple[str, ...]
    source: str
    created_at: datetime
    revoked_at: datetime | None


async def create_key(
    session: Session,
    *,
    owner: str,
    scopes: Collection[str],
    actor: Actor,
    source: str = DEFAULT_SOURCE,
) -> str:
    """Create a key and return it; only its hash is stored.

    ValueError for wrong scopes, or for a source that has no name.
    """
    error = scope_error(scopes) or source_error(source)
    if error is not None:
        raise ValueError(error)
    key_id, granted = uuid4(), sorted(set(scopes))
    key = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    values = {"id": key_id, "owner": owner, "scopes": granted, "key_hash": hash_api_key(key)}
    named = {} if source == DEFAULT_SOURCE else {"source": source}
    await session.execute(insert(ApiKey).values(values | named))
    await _write_audit(
        session, actor, key_id, action="create", owner=owner, scopes=granted, **named
    )
    return key


def scope_error(scopes: Collection[str]) -> str | None:
    """Return why a key may not have these scopes, or None."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        return f"unknown scopes {unknown}; a key has some of {', '.join(SCOPES)}"
    return None


def source_error(source: str) -> str | None:
    """Return why events may not have this source, or None."""
    if SOURCE_PATTERN.fullmatch(source):
        return None
    return "a source has 1 to 15 of a-z 0-9 -, a letter first"


async def find_holder(session: ReadSession, hashed: str) -> KeyHolder | None:
    query = select(ApiKey.owner, ApiKey.scopes, ApiKey.source).where(
        ApiKey.key_hash == hashed, ApiKey.revoked_at.is_(None)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    return KeyHolder(row.owner, frozenset(row.scopes), row.source or DEFAULT_SOURCE)


async def revoke(session: Session, key_id: UUID, actor: Actor) -> bool:
    """Revoke a key; return whether it existed and was still valid."""
    owner = await session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.owner)
    )
    if owner is not None:
        await _write_audit(session, actor, key_id, action="revoke", owner=owner)
    return owner is not None


async def list_keys(session: ReadSession) -> Sequence[KeySummary]:
    rows = await session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id))
    return [
        KeySummary(
            id=row.id,
            owner=row.owner,
            scopes=tuple(row.scopes),
            source=row.source or DEFAULT_SOURCE,
            created_at=row.created_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def is_api_key(text: str) -> bool:
    """Return whether a text can be a key at all, which needs no query."""
    return _KEY_SHAPE.fullmatch(text) is not None


def hash_api_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


async def _write_audit(
    session: Session,
    actor: Actor,
    key_id: UUID,
    *,
    action: str,
    **details: Any,  # noqa: ANN401 - any JSON values
) -> None:
    await audit.write(
        session, actor, action=f"key.{action}", subject=f"key:{key_id}", details=details
    )
