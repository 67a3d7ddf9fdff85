"""API keys: high-entropy secrets of which only the SHA-256 is stored."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from db.engine import ReadSession, Session
from db.tables import ApiKey

SCOPES: Final = (
    "codes:write",
    "events:write",
    "referrals:read",
    "rewards:read",
    "reviews:decide",
    "campaigns:write",
    "campaigns:publish",
    "reports:read",
    "ledger:read",
    "admin",
)
_PREFIX: Final = "rk_"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a key belongs to, and what it opens."""

    owner: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A key without its secret."""

    id: UUID
    owner: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


async def create_key(session: Session, *, owner: str, scopes: Iterable[str]) -> str:
    """A new key, told only this once; ValueError for a scope that does not exist."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise ValueError(f"unknown scopes {unknown}; a key has some of {', '.join(SCOPES)}")
    key = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    values = {"id": uuid4(), "owner": owner, "scopes": wanted, "key_hash": key_hash(key)}
    await session.execute(insert(ApiKey).values(values))
    return key


async def holder(session: ReadSession, hashed: str) -> Holder | None:
    query = select(ApiKey.owner, ApiKey.scopes).where(
        ApiKey.key_hash == hashed, ApiKey.revoked_at.is_(None)
    )
    row = (await session.execute(query)).one_or_none()
    return Holder(row.owner, frozenset(row.scopes)) if row else None


async def revoke(session: Session, key_id: UUID) -> bool:
    """Whether there was such a key, not revoked before."""
    revoked = await session.scalar(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(ApiKey.id)
    )
    return revoked is not None


async def list_keys(session: ReadSession) -> Sequence[KeySummary]:
    rows = await session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id))
    return [
        KeySummary(row.id, row.owner, tuple(row.scopes), row.created_at, row.revoked_at)
        for row in rows
    ]


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
