"""Personal data as keyed hashes: it can be compared, and not be read back."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, TypeVar

from domain import codes
from domain.field_shapes import SHAPED_FIELDS, has_shape, without_extensions
from domain.ip_texts import ip_text, parse_ip

_Hashed = TypeVar("_Hashed")
_BLOCK_BYTES: Final = 64
"""Block of SHA-256."""
HASH_SHAPE: Final = re.compile(r"hm[1-9][0-9]{0,3}:[0-9a-f]{64}")
"""Shape of a hash: the version of its key, and the hex HMAC."""
ERASED: Final = "erased"
"""Fingerprint of a fact whose personal values were erased."""
PERSONAL_FIELDS: Final = (
    "ip",
    "user_agent",
    "device_id",
    "email",
    "phone",
    "payment_instrument",
    "kyc_subject",
    "full_name",
)
PERSONAL_KEYS: Final = (
    *PERSONAL_FIELDS,
    "code",
    "cookie_token",
    "locale",
    "referral_token",
)
"""Keys of a fact's body that erasure removes."""
OTHER: Final = "other"
_NO_SECRETS: Final[Mapping[int, str]] = MappingProxyType({})
_DROPPED: Final[Mapping[str, str | None]] = {
    "locale": None,
    **dict.fromkeys(("accepted_terms", "channel", "jurisdiction", "method", "platform"), OTHER),
}
"""Replacements of a text of another shape. Erasure leaves these fields: no hash may be in them."""
_PADDED: Final = frozenset({"jurisdiction", "method", "platform"})
"""Texts that are compared without the blanks around them, and kept with them."""
_TOKENS: Final = frozenset({"referral_token", "cookie_token"})
"""Tokens, around which a page or a cookie may leave blanks and quotes."""
_HASHED_FIELDS: Final = frozenset({*PERSONAL_FIELDS, *SHAPED_FIELDS, "code"})
"""Fields of events that are hashed; some only if they have not the shape of their field."""


class Hasher:
    """Replaces personal data by keyed hashes (HMAC-SHA256 under the service's newest secret).

    Links below `public_url` are codes, not personal data. `earlier` are hashers of the secrets that
    were the newest before and are still enabled, by which stored hashes are recognised.
    """

    __slots__ = ("_digest", "_prefix", "_public_url", "earlier")

    def __init__(
        self,
        secret: str,
        *,
        public_url: str,
        version: int = 1,
        earlier_secrets: Mapping[int, str] = _NO_SECRETS,
    ) -> None:
        self._digest = keyed_sha256(secret.encode())
        self._prefix = f"hm{version}:"
        self._public_url = public_url
        self.earlier: tuple[Hasher, ...] = tuple(
            Hasher(earlier_secret, public_url=public_url, version=number)
            for number, earlier_secret in sorted(earlier_secrets.items(), reverse=True)
        )

    @property
    def enabled(self) -> "tuple[Hasher, ...]":
        """Return this hasher and those of earlier secrets, the newest first."""
        return (self, *self.earlier)

    def hash(self, field: str, text: str) -> str:
        """Hash a normalised value, separately for each field; return a hash unchanged."""
        if HASH_SHAPE.fullmatch(text):
            return text
        return self.hash_normalised(field, normalise_field(field, text))

    def hash_normalised(self, field: str, text: str) -> str:
        """Hash a value that has the one spelling of its field (see `normalise_field`)."""
        return self._prefix + self._digest(f"{field}\0{text}".encode()).hex()

    def once(self, function: "Callable[[Hasher, str], _Hashed]", text: str) -> _Hashed:
        """Return what a function hashes of a text."""
        return function(self, text)

    def hash_each(self, values: Mapping[str, str]) -> dict[str, str]:
        """Hash every value under the name of its field."""
        return {field: self.hash(field, text) for field, text in values.items()}

    def hash_given(self, values: Mapping[str, str | None]) -> dict[str, str | None]:
        """Hash the values that are not empty; keep the others as they are."""
        return {field: text and self.hash(field, text) for field, text in values.items()}

    def hash_personal(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hash the personal fields of a reported event, and keep all others."""
        return {
            field: self._hash_reported(field, value) if value and field in _HASHED_FIELDS else value
            for field, value in body.items()
        }

    def _hash_reported(self, field: str, text: str) -> str | None:
        if field == "code":
            return self._hash_unless_code(text)
        if field not in SHAPED_FIELDS:
            return self.hash(field, text)
        return self.keep_shape(field, text)

    def keep_shape(self, field: str, text: str) -> str | None:
        """Return a text that has its field's shape; hash another one, or drop it."""
        if field == "locale":
            text = without_extensions(text)
        elif field in _TOKENS:
            text = codes.strip_punctuation(text)
        if has_shape(field, text.strip() if field in _PADDED else text):
            return text
        return _DROPPED[field] if field in _DROPPED else self.hash(field, text)

    def _hash_unless_code(self, text: str) -> str:
        """Hash what was typed or pasted for a code, unless a code can be read out of it."""
        if codes.is_code(text.strip().upper()) and text.isascii():
            return text  # as it was typed, so that the event keeps its fingerprint
        return codes.parse_code(text, public_url=self._public_url) or self.hash("code", text)


class BatchHasher(Hasher):
    """Hasher of one batch, whose events often repeat a player's card or address.

    It is dropped with the batch, so that no value stays in memory longer than its event does.
    """

    __slots__ = ("_hash_normalised_once", "_hash_once", "_once")

    def __init__(self, hasher: Hasher) -> None:
        self._digest, self._public_url = hasher._digest, hasher._public_url  # noqa: SLF001 - its own class
        self._prefix = hasher._prefix  # noqa: SLF001
        self.earlier = tuple(BatchHasher(each) for each in hasher.earlier)
        self._once: Callable[..., Any] = cache(super().once)
        self._hash_once = cache(super().hash)
        self._hash_normalised_once = cache(super().hash_normalised)

    def once(self, function: Callable[[Hasher, str], _Hashed], text: str) -> _Hashed:
        """Return what a function hashes of a text, once for all in the batch that share it."""
        hashed: _Hashed = self._once(function, text)
        return hashed

    def hash(self, field: str, text: str) -> str:
        return self._hash_once(field, text)

    def hash_normalised(self, field: str, text: str) -> str:
        return self._hash_normalised_once(field, text)


def keyed_sha256(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA256 (RFC 2104) under a key whose two blocks are hashed here, once.

    It takes less than half of the time of `hmac.digest`, which hashes both for each message.
    """
    block = (key if len(key) <= _BLOCK_BYTES else sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def digest(message: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    return digest


def normalise_field(field: str, text: str) -> str:
    """Return one spelling for all spellings of the same personal value."""
    folded = " ".join(text.casefold().split())
    if field == "email":
        return _canonical_email(folded)
    if field == "phone":
        # A text without a digit stays as it is, or all such texts would look like one phone.
        return "".join(character for character in folded if character.isdigit()) or folded
    return _canonical_ip(folded) if field == "ip" else folded


def _canonical_ip(written: str) -> str:
    if ":" not in written:
        # An IPv4 address has only one spelling, so that it need not be parsed.
        return written
    address = parse_ip(written)
    return written if address is None else ip_text(address)


def _canonical_email(address: str) -> str:
    name, at, host = address.partition("@")
    name = name.partition("+")[0]
    if host in {"gmail.com", "googlemail.com"}:
        name, host = name.replace(".", ""), "gmail.com"
    return f"{name}{at}{host}"
