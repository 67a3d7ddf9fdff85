"""Referral codes: short, unambiguous, and the same in whatever case they are typed."""

import re
from typing import Final
from urllib.parse import unquote

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH: Final = 8
SHAPE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
"""Vanity codes may use more letters than drawn ones, and a hyphen or underscore inside."""
LINK: Final = re.compile(
    r"(?:https?://)?[^\s/?#]+/(?:[^\s?#]*/)?r/([^\s/?#]+)/?(?:[?#]\S*)?", re.IGNORECASE
)
"""An invitation's address, as people paste it where a code is asked for."""
AROUND_A_LINK: Final = ".,;:!?()[]{}<>\"'«»“”„"
"""What a sentence may put before or behind a link."""


def normalised(typed: str) -> str:
    return typed.strip().upper()


def parse_code(typed: str) -> str | None:
    """The code that was typed, or is in the one link that was pasted, with or without words.

    None for what cannot be one, and is kept nowhere as it is.
    """
    words = (word.strip(AROUND_A_LINK) for word in typed.split())
    linked = {normalised(unquote(link[1])) for word in words if (link := LINK.fullmatch(word))}
    code = linked.pop() if len(linked) == 1 else normalised(typed)
    return code if is_code(code) else None


def is_code(text: str) -> bool:
    return SHAPE.fullmatch(text) is not None


def drawn(random_bytes: bytes) -> str:
    """A code from at least 8 random bytes; 31 letters out of 256 values bias it by under 4 %."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes[:LENGTH])
