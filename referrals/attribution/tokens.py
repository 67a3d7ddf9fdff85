"""Referral tokens: signed, expiring, naming only a referral or match and how it is carried."""

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

from domain.attribution.first_open import MAX_TOKEN_CHARS
from domain.attribution.policy import Method, Refusal

_SALT: Final = "referral-token.v1"
_ID_BYTES: Final = 16
_EXPIRY_BYTES: Final = 8

METHOD_BYTES: Final = {
    Method.REFERRAL_TOKEN: b"",
    Method.QR_CODE: b"\x01",
    Method.INSTALL_REFERRER: b"\x02",
    Method.CLIPBOARD: b"\x03",
    Method.UNIVERSAL_LINK: b"\x04",
    Method.COOKIE: b"\x05",
    Method.PROBABILISTIC: b"\x06",
}
"""A token's last byte: how it is carried from the click to the signup. A link's token has none."""
_METHODS: Final = {mark: method for method, mark in METHOD_BYTES.items()}


class TokenOutcome(StrEnum):
    """The outcome of reading a token."""

    VALID = "valid"
    FORGED = "forged"
    EXPIRED = "expired"


REFUSAL_BY_OUTCOME: Final = {
    TokenOutcome.FORGED: Refusal.FORGED_TOKEN,
    TokenOutcome.EXPIRED: Refusal.EXPIRED_TOKEN,
}


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A token as read at one time."""

    outcome: TokenOutcome
    subject: UUID | None = None
    """Set unless the token is forged: the referral's id, or the touch's for a match."""
    method: Method = Method.REFERRAL_TOKEN

    @property
    def refusal(self) -> Refusal | None:
        """The reason why the token attributes nothing; a valid one has none."""
        return REFUSAL_BY_OUTCOME.get(self.outcome)


class Tokens:
    """Issues and reads referral tokens, signed with the service's secret.

    Those that were signed with one of the earlier secrets are read as well.
    """

    __slots__ = ("_signer",)

    def __init__(self, secret: str, *earlier: str) -> None:
        # The last one signs.
        secrets = [key.encode() for key in (*earlier, secret)]
        self._signer = Signer(secrets, salt=_SALT, digest_method=sha256, key_derivation="hmac")

    def issue(
        self, subject: UUID, *, expires_at: datetime, method: Method = Method.REFERRAL_TOKEN
    ) -> str:
        """Issue a token; the same arguments give the same token, so a repeated click keeps it."""
        # Rounded up: a token must not end before the window that it stands for.
        seconds = math.ceil(expires_at.timestamp()).to_bytes(_EXPIRY_BYTES)
        packed = subject.bytes + seconds + METHOD_BYTES[method]
        return self._signer.sign(base64.urlsafe_b64encode(packed).rstrip(b"=")).decode()

    def issue_each(self, subject: UUID, *, expires_at: datetime) -> list[str]:
        """Issue a subject's token once for every way of carrying it."""
        return [
            self.issue(subject, expires_at=expires_at, method=method) for method in METHOD_BYTES
        ]

    def read(self, token: str, *, at: datetime) -> TokenReading:
        """Read a token as of `at`; anything not issued with these secrets is FORGED."""
        unpacked = self._unpack(token)
        if unpacked is None:
            return TokenReading(TokenOutcome.FORGED)
        subject, expires_s, method = unpacked
        is_expired = at.timestamp() >= expires_s
        outcome = TokenOutcome.EXPIRED if is_expired else TokenOutcome.VALID
        return TokenReading(outcome, subject, method)

    def _unpack(self, token: str) -> tuple[UUID, int, Method] | None:
        if len(token) > MAX_TOKEN_CHARS or not token.isascii():
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
