"""Referral tokens: signed, expiring, saying only what they belong to and how they are carried."""

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

from domain.attribution.policy import Method

_SALT: Final = "referral-token.v1"
_ID_BYTES: Final = 16
_EXPIRY_BYTES: Final = 8
LONGEST: Final = 256

METHOD_BYTES: Final = {
    Method.REFERRAL_TOKEN: b"",
    Method.QR_CODE: b"\x01",
    Method.INSTALL_REFERRER: b"\x02",
    Method.CLIPBOARD: b"\x03",
    Method.UNIVERSAL_LINK: b"\x04",
    Method.COOKIE: b"\x05",
    Method.PROBABILISTIC: b"\x06",
}
"""How a token is carried from the click to the signup, as its last byte; a link's has none."""
_METHODS: Final = {mark: method for method, mark in METHOD_BYTES.items()}


class Outcome(StrEnum):
    VALID = "valid"
    FORGED = "forged"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TokenReading:
    outcome: Outcome
    subject: UUID | None = None
    """Set unless the token is forged: the referral's id or, of a probabilistic one, the touch's."""
    method: Method = Method.REFERRAL_TOKEN


class Tokens:
    """Issues and reads referral tokens, signed with the service's secret."""

    __slots__ = ("_signer",)

    def __init__(self, secret: str) -> None:
        self._signer = Signer(
            secret.encode(), salt=_SALT, digest_method=sha256, key_derivation="hmac"
        )

    def issue(
        self, subject: UUID, *, expires_at: datetime, method: Method = Method.REFERRAL_TOKEN
    ) -> str:
        """Issue a token; the same arguments give the same token, so a repeated click keeps it."""
        # Rounded up: a token must not end before the window that it stands for.
        seconds = math.ceil(expires_at.timestamp()).to_bytes(_EXPIRY_BYTES)
        packed = subject.bytes + seconds + METHOD_BYTES[method]
        return self._signer.sign(base64.urlsafe_b64encode(packed).rstrip(b"=")).decode()

    def issue_each(self, subject: UUID, *, expires_at: datetime) -> list[str]:
        """Issue a subject's token for every carrier."""
        return [
            self.issue(subject, expires_at=expires_at, method=method) for method in METHOD_BYTES
        ]

    def read(self, token: str, *, at: datetime) -> TokenReading:
        """Read a token as of `at`; anything not issued with this secret is FORGED."""
        opened = self._open(token)
        if opened is None:
            return TokenReading(Outcome.FORGED)
        subject, expires, method = opened
        expired = at.timestamp() >= expires
        return TokenReading(Outcome.EXPIRED if expired else Outcome.VALID, subject, method)

    def _open(self, token: str) -> tuple[UUID, int, Method] | None:
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            body = self._signer.unsign(token.encode())
            packed = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
        except (BadSignature, binascii.Error):
            return None
        dated = _ID_BYTES + _EXPIRY_BYTES
        method = _METHODS.get(packed[dated:])
        if len(packed) < dated or method is None:
            return None
        return UUID(bytes=packed[:_ID_BYTES]), int.from_bytes(packed[_ID_BYTES:dated]), method
