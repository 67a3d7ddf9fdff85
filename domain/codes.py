"""Referral codes: short, unambiguous, and the same in whatever case they are typed."""

import re
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH: Final = 8
SHAPE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
"""Vanity codes may use more letters than drawn ones, and a hyphen or underscore inside."""


def normalised(typed: str) -> str:
    return typed.strip().upper()


def as_code(typed: str) -> str | None:
    """The code that was typed; None for what cannot be one, and is kept nowhere."""
    code = normalised(typed)
    return code if is_code(code) else None


def is_code(text: str) -> bool:
    return SHAPE.fullmatch(text) is not None


def drawn(random_bytes: bytes) -> str:
    """A code from at least 8 random bytes; 31 letters out of 256 values bias it by under 4 %."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes[:LENGTH])
