"""Referral codes: short, unambiguous, and not case-sensitive."""

import re
import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
DRAWN_LENGTH: Final = 8
"""Characters of a drawn code."""
CODE_SHAPE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
"""Shape of any code: vanity codes may use all letters and digits, and hyphens or underscores."""
HALVES: Final = re.compile(rf"([{ALPHABET}]{{4}})\s+([{ALPHABET}]{{4}})")
"""A drawn code, read out or typed in two halves."""
TRACKING: Final = re.compile(
    r"(?:&(?:amp;)?[\w.-]+=|&(?:gt|lt|quot|apos|amp|#\d+)(?:;|$)|[?#]).*", re.DOTALL
)
"""End of a link's path that is no part of the code: a query that somebody added with the wrong sign
or encoded twice, or what is left of a page's markup."""
LINK_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
COMPATIBILITY_FORMS: Final = frozenset({"<wide>", "<narrow>", "<font>", "<noBreak>"})
"""Decompositions (Unicode, UAX 44) that change a character's look alone, not the letter."""
INVISIBLE_MARKS: Final = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
"""Marks without a shape of their own that are not in the category Cf."""
UNLISTED_DASHES: Final = frozenset("\u02d7\u2043\u2212")
"""Dashes and minus signs that are not in the category Pd."""
_UPPER: Final = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


def normalise_code(typed: str) -> str:
    """Return the one spelling of a code for what keyboards, chats and scripts make of it.

    Full-width and styled letters become plain, digits of any script ASCII, dashes hyphens;
    invisible marks and surrounding punctuation are dropped. No letter becomes another one: what
    is not a code stays none.
    """
    text = strip_punctuation(_drop_invisible(typed))
    while text[:1] in ("-", "_"):
        # No code begins so; an underscore before and behind is a chat's mark for italics.
        text = strip_punctuation(text[1:].removesuffix("_") if text[0] == "_" else text[1:])
    text = "".join(map(_plain_form, text)).translate(_UPPER)
    halves = HALVES.fullmatch(text)
    return halves[1] + halves[2] if halves else text


def parse_code(typed: str, *, public_url: str) -> str | None:
    """Return the code that was typed, or the one in a pasted link, with or without words around it.

    Only links below `public_url` count. None for a text that cannot be a code; such a text may be
    personal and is not stored as it is.
    """
    words = _drop_invisible(typed).split()
    linked = {code for word in words if (code := code_in_link(word, public_url=public_url))}
    code = linked.pop() if len(linked) == 1 else normalise_code(typed)
    return code if is_code(code) else None


def code_in_link(word: str, *, public_url: str) -> str | None:
    """Return the code in a word that is a link below `public_url`, with or without its scheme."""
    link = split_own_link(word, public_url=public_url)
    before = f"{urlsplit(public_url).path.rstrip('/')}/r/"
    if link is None or not link.path.lower().startswith(before.lower()):
        return None
    code = code_in_path(unquote(link.path[len(before) :]))
    return code if is_code(code) else None


def code_in_path(text: str) -> str:
    """Return the one spelling of the code that a link's path ends with, already decoded."""
    return normalise_code(TRACKING.sub("", text.strip("/")))


def split_own_link(word: str, *, public_url: str) -> SplitResult | None:
    """Split a link to the host of `public_url`; return None for any other text."""
    link = strip_punctuation(word)
    scheme = LINK_SCHEME.search(link)
    try:
        parts = urlsplit(link[scheme.start() :] if scheme else f"//{link}")
        own = parts.hostname is not None and parts.hostname == urlsplit(public_url).hostname
    except ValueError:
        return None
    return parts if own else None


def strip_punctuation(text: str) -> str:
    """Drop what a sentence or a chat puts around a code or a link: punctuation, marks, blanks."""
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def is_code(text: str) -> bool:
    return CODE_SHAPE.fullmatch(text) is not None


def code_from_bytes(random_bytes: bytes) -> str:
    """Return a code from at least 8 random bytes; 31 letters in 256 values bias it by under 4 %."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes[:DRAWN_LENGTH])


def _drop_invisible(text: str) -> str:
    visible = INVISIBLE_MARKS.sub("", text)
    return "".join(c for c in visible if unicodedata.category(c) != "Cf")


@lru_cache(1024)
def _is_around(character: str) -> bool:
    # A code may end with a hyphen or an underscore.
    return character not in "-_" and unicodedata.category(character)[0] in "PSZC"


@lru_cache(1024)
def _plain_form(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character in UNLISTED_DASHES:
        return "-"
    if category == "Nd":
        return str(unicodedata.digit(character))
    form, _, plain = unicodedata.decomposition(character).partition(" ")
    if form in COMPATIBILITY_FORMS and " " not in plain:
        return chr(int(plain, 16))
    return character
