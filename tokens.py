"""Referral tokens: signed, expiring, and saying nothing but which invitation they belong to."""

import base64
import binascii
import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from itsdangerous import BadSignature, Signer

_SALT: Final = "referral-token.v1"
_ID_BYTES: Final = 16
_EXPIRY_BYTES: Final = 8
LONGEST: Final = 256


class Outcome(StrEnum):
    VALID = "valid"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TokenReading:
    outcome: Outcome
    referral_id: UUID | None = None
    """Set unless the token is forged."""


def issue(referral_id: UUID, *, expires_at: datetime, key: bytes) -> str:
    """The same arguments give the same token, so a repeated click gets the one it had."""
    # Rounded up: a token must not end before the window that it stands for.
    seconds = math.ceil(expires_at.timestamp()).to_bytes(_EXPIRY_BYTES)
    body = base64.urlsafe_b64encode(referral_id.bytes + seconds).rstrip(b"=")
    return _signer(key).sign(body).decode()


def read(token: str, *, key: bytes, at: datetime) -> TokenReading:
    """Which invitation a token belongs to; anything not issued with this key is FORGED."""
    opened = _opened(token, key)
    if opened is None:
        return TokenReading(Outcome.FORGED)
    referral_id, expires = opened
    expired = at.timestamp() >= expires
    return TokenReading(Outcome.EXPIRED if expired else Outcome.VALID, referral_id)


def _opened(token: str, key: bytes) -> tuple[UUID, int] | None:
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        body = _signer(key).unsign(token.encode())
        packed = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
    except (BadSignature, binascii.Error):
        return None
    if len(packed) != _ID_BYTES + _EXPIRY_BYTES:
        return None
    return UUID(bytes=packed[:_ID_BYTES]), int.from_bytes(packed[_ID_BYTES:])


def _signer(key: bytes) -> Signer:
    return Signer(key, salt=_SALT, digest_method=sha256, key_derivation="hmac")
