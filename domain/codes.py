"""Referral codes: short, unambiguous, and not case-sensitive."""

import re
import unicodedata
from functools import lru_cache
from html import unescape
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
    r"(?:(?:&(?:amp;)?|;)[\w.-]+=|&(?:gt|lt|quot|apos|amp|nbsp|#\d+|#x[0-9a-f]+)(?:;|$)|[?#]).*",
    re.DOTALL | re.IGNORECASE,
)
"""End of a link's path that is no part of the code: a query that somebody added with the wrong sign
or encoded twice, or what is left of a page's markup."""
SENTENCE_AFTER: Final = re.compile(
    "[\u00ab\u00bb\u2018-\u201f\u2026\u2039\u203a\u3001-\u3003\u3008-\u3011\uff01\uff08\uff09\uff0c\uff0e"
    "\uff1a\uff1b\uff1f].*",
    re.DOTALL,
)
"""Rest of a sentence behind a link, in scripts that put no blank between them."""
WORD_ENDS: Final = re.compile(r"\s+|\]\(")
"""Ends of words around a link; `[text](link)` is a chat's markup."""
REPEATED_ENCODING: Final = re.compile("%(?:25)+")
LINK_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
COMPATIBILITY_FORMS: Final = frozenset(
    {"<wide>", "<narrow>", "<font>", "<noBreak>", "<circle>", "<square>"}
)
"""Decompositions (Unicode, UAX 44) that change a character's look alone, not the letter."""
INVISIBLE_MARKS: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
"""Marks without a shape of their own (Default_Ignorable_Code_Point) that may not be in Cf."""
INVISIBLE: Final = frozenset({"Cf", "Me"})
"""Categories of marks that are dropped: formats, and frames around a letter, as of keycaps."""
UNLISTED_DASHES: Final = frozenset("\u02d7\u2043\u207b\u208b\u2212\u2500\u2501\u2796\u30fc\uff70")
"""Dashes, minus signs and the long-vowel mark of Japanese keyboards, which are not in Pd."""
INVERSE_LETTERS: Final = {
    first + place: chr(ord("A") + place) for first in (0x1F150, 0x1F170) for place in range(26)
}
"""White letters on black circles and squares, which have no decomposition."""
_UPPER: Final = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


def normalise_code(typed: str) -> str:
    """Return the one spelling of a code for what keyboards, chats and scripts make of it.

    Full-width and styled letters become plain, digits of any script ASCII, dashes hyphens;
    invisible marks and surrounding punctuation are dropped. No letter becomes another one: what
    is not a code stays none.
    """
    plain = "".join(map(_plain_form, _drop_invisible(_decoded(typed))))
    text = strip_punctuation(plain)
    while text[:1] in ("-", "_"):
        # No code begins so; an underscore before and behind is a chat's mark for italics.
        text = strip_punctuation(text[1:].removesuffix("_") if text[0] == "_" else text[1:])
    text = text.translate(_UPPER)
    halves = HALVES.fullmatch(text)
    return halves[1] + halves[2] if halves else text


def parse_code(typed: str, *, public_url: str) -> str | None:
    """Return the code that was typed, or the one in a pasted link, with or without words around it.

    Only links below `public_url` count. None for a text that cannot be a code; such a text may be
    personal and is not stored as it is.
    """
    words = WORD_ENDS.split(_drop_invisible(typed))
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
    path = TRACKING.sub("", _percent_decoded(text).strip("/"))
    return normalise_code(SENTENCE_AFTER.sub("", path))


def split_own_link(word: str, *, public_url: str) -> SplitResult | None:
    """Split a link to the host of `public_url`; return None for any other text."""
    link = strip_punctuation(word)
    scheme = LINK_SCHEME.search(link)
    try:
        parts = urlsplit(link[scheme.start() :] if scheme else f"//{link}")
        own = parts.hostname and _ascii_host(parts.hostname) == _ascii_host(
            urlsplit(public_url).hostname or ""
        )
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


def _ascii_host(host: str) -> str:
    """Return a host as DNS writes it, so that an international one has one spelling."""
    return host.rstrip(".").encode("idna").decode().lower()


def _decoded(text: str) -> str:
    """Undo what links and pages encode: no code has a percent sign or an ampersand."""
    text = _percent_decoded(text)
    return unescape(text) if "&" in text else text


def _percent_decoded(text: str) -> str:
    return unquote(REPEATED_ENCODING.sub("%", text)) if "%" in text else text


def _drop_invisible(text: str) -> str:
    visible = INVISIBLE_MARKS.sub("", text)
    return "".join(c for c in visible if unicodedata.category(c) not in INVISIBLE)


@lru_cache(1024)
def _is_around(character: str) -> bool:
    # A code may end with a hyphen or an underscore.
    return character not in "-_" and unicodedata.category(character)[0] in "PSZC"


@lru_cache(1024)
def _plain_form(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character in UNLISTED_DASHES:
        return "-"
    if inverse := INVERSE_LETTERS.get(ord(character)):
        return inverse
    if category == "Nd":
        return str(unicodedata.digit(character))
    form, _, plain = unicodedata.decomposition(character).partition(" ")
    if form in COMPATIBILITY_FORMS and " " not in plain:
        return chr(int(plain, 16))
    return character
