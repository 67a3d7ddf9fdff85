"""API keys: high-entropy secrets of which only the SHA-256 is stored."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import aliased

from db.engine import ReadSession, Session
from db.tables import ApiKey
from domain.intake.sources import DEFAULT_SOURCE, SOURCE_PATTERN
from domain.people import name_error
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
_NEXT: Final = aliased(ApiKey)
"""The key that replaces another one."""
_ENDS_AT: Final = func.least(ApiKey.expires_at, _NEXT.replaces_at).label("ends_at")
_KEY_SHAPE: Final = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Owner and scopes of a valid key."""

    owner: str
    scopes: frozenset[str]
    source: str
    """Source of the events that the key reports."""
    ends_at: datetime | None = None

    def is_valid(self, *, now: datetime) -> bool:
        return self.ends_at is None or self.ends_at > now

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
    expires_at: datetime | None
    replaced_at: datetime | None
    """End of the overlap with the key that replaces it."""

    def state(self, *, now: datetime) -> str:
        """Return `valid`, `revoked`, `expired` or `replaced`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.replaced_at is not None and self.replaced_at <= now:
            return "replaced"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"

    @property
    def ends_at(self) -> datetime | None:
        return min((end for end in (self.expires_at, self.replaced_at) if end), default=None)


async def create_key(
    session: Session,
    *,
    owner: str,
    scopes: Collection[str],
    actor: Actor,
    source: str = DEFAULT_SOURCE,
    expires_at: datetime | None = None,
) -> str:
    """Create a key and return it; only its hash is stored.

    ValueError for wrong scopes, for an owner whose name shows nothing, or a source without a name.
    """
    error = scope_error(scopes) or name_error(owner) or source_error(source)
    if error is not None:
        raise ValueError(error)
    values = {"owner": owner, "scopes": sorted(set(scopes))}
    if source != DEFAULT_SOURCE:
        values["source"] = source
    return await _insert(session, values, actor, expires_at=expires_at)


async def rotate_key(
    session: Session, key_id: UUID, *, overlap: timedelta, actor: Actor, now: datetime
) -> str | None:
    """Create a key like another one, which works on for the overlap; return the new one.

    The new one lives as long as the other did. None where the other is unknown, has ended, or was
    replaced before.
    """
    await session.execute(select(ApiKey.id).where(ApiKey.id == key_id).with_for_update())
    known = {summary.id: summary for summary in await list_keys(session)}
    old = known.get(key_id)
    if old is None or old.state(now=now) != "valid" or old.replaced_at is not None:
        return None
    values = {
        "owner": old.owner,
        "scopes": sorted(old.scopes),
        "replaces": key_id,
        "replaces_at": now + overlap,
    }
    if old.source != DEFAULT_SOURCE:
        values["source"] = old.source
    expires_at = old.expires_at and now + (old.expires_at - old.created_at)
    return await _insert(session, values, actor, expires_at=expires_at)


async def _insert(
    session: Session, values: dict[str, Any], actor: Actor, *, expires_at: datetime | None
) -> str:
    key_id, key = uuid4(), _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    ending = {} if expires_at is None else {"expires_at": expires_at}
    row = {**values, **ending, "id": key_id, "key_hash": hash_api_key(key)}
    await session.execute(insert(ApiKey).values(row))
    details = {
        name: value if isinstance(value, list) else str(value)
        for name, value in {**values, **ending}.items()
    }
    await _write_audit(session, actor, key_id, action="create", **details)
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
    """Return the holder of a key that is not revoked; it may have ended."""
    query = (
        select(ApiKey.owner, ApiKey.scopes, ApiKey.source, _ENDS_AT)
        .outerjoin(_NEXT, _NEXT.replaces == ApiKey.id)
        .where(ApiKey.key_hash == hashed, ApiKey.revoked_at.is_(None))
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    source = row.source or DEFAULT_SOURCE
    return KeyHolder(row.owner, frozenset(row.scopes), source, row.ends_at)


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
    query = (
        select(ApiKey, _NEXT.replaces_at.label("replaced_at"))
        .outerjoin(_NEXT, _NEXT.replaces == ApiKey.id)
        .order_by(ApiKey.created_at, ApiKey.id)
    )
    return [_summary(key, replaced_at) for key, replaced_at in await session.execute(query)]


def _summary(row: ApiKey, replaced_at: datetime | None) -> KeySummary:
    return KeySummary(
        id=row.id,
        owner=row.owner,
        scopes=tuple(row.scopes),
        source=row.source or DEFAULT_SOURCE,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        expires_at=row.expires_at,
        replaced_at=replaced_at,
    )


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
