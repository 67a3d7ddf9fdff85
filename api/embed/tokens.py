"""Tokens of players' pages: signed, expiring, each for one player."""

import math
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from itsdangerous import BadSignature, Signer

LIFETIME: Final = timedelta(hours=1)
"""Time in which a page may be opened with its token."""
_SALT: Final = "embed-token.v1"
_SEPARATOR: Final = "~"
"""In no id of a player."""


class TokenState(StrEnum):
    """The outcome of reading a token for a player's page."""

    VALID = "valid"
    FOREIGN = "foreign"
    """A token of another player."""
    EXPIRED = "expired"
    FORGED = "forged"


class EmbedTokens:
    """Issues and reads tokens of players' pages, signed with the service's secret."""

    __slots__ = ("_signer",)

    def __init__(self, secret: str, *earlier: str) -> None:
        # The last one signs; tokens of the earlier ones are read as well.
        secrets = [key.encode() for key in (*earlier, secret)]
        self._signer = Signer(
            secrets, salt=_SALT, sep=_SEPARATOR, digest_method=sha256, key_derivation="hmac"
        )

    def issue(self, player_id: str, *, expires_at: datetime) -> str:
        seconds = math.ceil(expires_at.timestamp())
        return self._signer.sign(f"{player_id}{_SEPARATOR}{seconds}").decode()

    def read(self, token: str, player_id: str, *, at: datetime) -> TokenState:
        """Read a token for the page of a player; a token that nobody issued is FORGED."""
        try:
            owner, _, seconds = self._signer.unsign(token).decode().rpartition(_SEPARATOR)
        except (BadSignature, UnicodeError):
            return TokenState.FORGED
        if owner != player_id:
            return TokenState.FOREIGN
        return TokenState.EXPIRED if at.timestamp() >= int(seconds) else TokenState.VALID
