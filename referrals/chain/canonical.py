"""Canonical bytes: a name and a value, each with its length before it, so that none can move."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

GENESIS: Final = bytes(32)
"""The hash before the first link."""
MISSING: Final = bytes(32)
"""Leaf of a row that was gone before it was linked."""


def encode(names: Sequence[str], values: Sequence[str | None]) -> bytes:
    """Encode the values that are not null, in the order of their names."""
    fields = sorted(zip(names, values, strict=True))
    return b"".join(
        _field(name.encode(), value.encode()) for name, value in fields if value is not None
    )


def commit(salt: bytes, key: str, names: Sequence[str], values: Sequence[str | None]) -> bytes:
    """Return the commitment to a row's personal values, which says nothing without the salt."""
    return hmac.digest(salt, _field(b"key", key.encode()) + encode(names, values), "sha256")


def leaf(
    relation: str,
    key: str,
    names: Sequence[str],
    values: Sequence[str | None],
    commitment: bytes | None,
) -> bytes:
    """Return the SHA-256 of a row."""
    place = _field(b"relation", relation.encode()) + _field(b"key", key.encode())
    content = place + encode(names, values) + _field(b"commitment", commitment or b"")
    return hashlib.sha256(b"\0" + content).digest()


def link(before: bytes, *, seq: int, leaf: bytes, linked_at: datetime) -> bytes:
    """Return the hash of a link, from that of the link before it."""
    time = linked_at.astimezone(UTC).isoformat(timespec="microseconds").encode()
    return hashlib.sha256(b"\1" + before + seq.to_bytes(8, "big") + leaf + time).digest()


def _field(name: bytes, value: bytes) -> bytes:
    return len(name).to_bytes(4, "big") + name + len(value).to_bytes(8, "big") + value
