"""Secrets of webhooks, derived from the service's key: the database has only their random ids."""

import base64
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, insert, literal_column, or_, select, update

from db.engine import ReadSession, Session
from db.tables import WebhookSecret

PREFIX: Final = "whsec_"
BOTH_SIGN_FOR: Final = timedelta(hours=24)
"""Time after a rotation in which the secret before signs too."""
MAX_SIGNING: Final = 5
"""Secrets that sign at the same time; of more rotations within a day the oldest end early."""
_PURPOSE: Final = b"referrals webhook secret v1"
_NOW: Final[ColumnElement[datetime]] = literal_column("clock_timestamp()")


class SecretKey:
    """The key from which each secret is derived, so that none has to be stored.

    Ids of secrets have 122 random bits and are shown to nobody: whoever holds a secret cannot
    search for the key.
    """

    __slots__ = ("_key", "earlier", "fingerprint")

    def __init__(self, key: str, *earlier: str) -> None:
        self._key = hmac.digest(key.encode(), _PURPOSE, hashlib.sha256)
        self.fingerprint = hmac.digest(self._key, b"fingerprint", hashlib.sha256).hex()[:16]
        self.earlier: tuple[SecretKey, ...] = tuple(map(SecretKey, earlier))
        """Keys from which secrets were derived before, and which still sign."""

    def secret(self, secret_id: UUID) -> str:
        """Return the secret of 32 bytes as Standard Webhooks writes it."""
        derived = hmac.digest(self._key, secret_id.bytes, hashlib.sha256)
        return PREFIX + base64.b64encode(derived).decode()


async def create_secret(session: Session, webhook_id: UUID, key: SecretKey) -> str:
    """Make a new secret the current one, and return it; the one before signs for a day more.

    The caller holds the webhook's row lock, or has just written it.
    """
    await _end_current(session, webhook_id)
    secret_id = uuid4()
    values = {"id": secret_id, "webhook_id": webhook_id, "key_id": key.fingerprint}
    await session.execute(insert(WebhookSecret).values(values))
    return key.secret(secret_id)


async def end_all(session: Session, webhook_id: UUID) -> None:
    """End every secret of a webhook at once."""
    await session.execute(
        update(WebhookSecret)
        .where(WebhookSecret.webhook_id == webhook_id, _signs())
        .values(valid_until=func.now())
    )


async def find_signing(
    session: ReadSession, webhook_ids: Collection[UUID], key: SecretKey
) -> Mapping[UUID, Sequence[str]]:
    """Return the secrets that sign for each webhook, the newest first.

    A webhook whose secrets were derived from an unknown key is left out.
    """
    keys = {known.fingerprint: known for known in (*key.earlier, key)}
    rows = await session.execute(
        select(WebhookSecret.webhook_id, WebhookSecret.id, WebhookSecret.key_id)
        .where(WebhookSecret.webhook_id.in_(webhook_ids), _signs())
        .where(WebhookSecret.key_id.in_(keys))
        .order_by(WebhookSecret.created_at.desc(), WebhookSecret.id)
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for webhook_id, secret_id, key_id in rows:
        found[webhook_id].append(keys[key_id].secret(secret_id))
    return found


async def _end_current(session: Session, webhook_id: UUID) -> None:
    await session.execute(
        update(WebhookSecret)
        .where(WebhookSecret.webhook_id == webhook_id, WebhookSecret.valid_until.is_(None))
        .values(valid_until=func.now() + BOTH_SIGN_FOR)
    )
    others = (
        select(WebhookSecret.id)
        .where(WebhookSecret.webhook_id == webhook_id, _signs())
        .order_by(WebhookSecret.created_at.desc(), WebhookSecret.id)
        .offset(MAX_SIGNING - 1)
    )
    await session.execute(
        update(WebhookSecret).where(WebhookSecret.id.in_(others)).values(valid_until=func.now())
    )


def _signs() -> ColumnElement[bool]:
    return or_(WebhookSecret.valid_until.is_(None), WebhookSecret.valid_until > _NOW)
