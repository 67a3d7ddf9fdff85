"""Referral codes: short, unambiguous, and not case-sensitive."""

import re
from typing import Final
from urllib.parse import unquote

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
DRAWN_LENGTH: Final = 8
"""Characters of a drawn code."""
CODE_SHAPE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
"""Shape of any code: vanity codes may use all letters and digits, and hyphens or underscores."""
LINK: Final = re.compile(
    r"(?:https?://)?[^\s/?#]+/(?:[^\s?#]*/)?r/([^\s/?#]+)/?(?:[?#]\S*)?", re.IGNORECASE
)
"""An invitation's link, as people paste it where a code is asked for."""
AROUND_A_LINK: Final = ".,;:!?()[]{}<>\"'«»“”„"
"""Punctuation that a sentence may put before or after a link."""


def normalise_code(typed: str) -> str:
    return typed.strip().upper()


def parse_code(typed: str) -> str | None:
    """Return the code that was typed, or the one in a pasted link, with or without words around it.

    None for a text that cannot be a code; such a text may be personal and is not stored as it is.
    """
    words = (word.strip(AROUND_A_LINK) for word in typed.split())
    linked = {normalise_code(unquote(link[1])) for word in words if (link := LINK.fullmatch(word))}
    code = linked.pop() if len(linked) == 1 else normalise_code(typed)
    return code if is_code(code) else None


def is_code(text: str) -> bool:
    return CODE_SHAPE.fullmatch(text) is not None


def code_from_bytes(random_bytes: bytes) -> str:
    """Return a code from at least 8 random bytes; 31 letters in 256 values bias it by under 4 %."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes[:DRAWN_LENGTH])
