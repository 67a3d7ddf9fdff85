"""Referral codes: short, unambiguous, and not case-sensitive."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from domain.redirectors import unwrap_link

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
DRAWN_LENGTH: Final = 8
"""Characters of a drawn code."""
CODE_SHAPE: Final = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,31}")
"""Shape of any code: vanity codes may use all letters and digits, and hyphens or underscores."""
LETTER_BY_LETTER: Final = re.compile(r"[A-Z0-9_-](?:\s+[A-Z0-9_-]){2,31}")
BLANKS_AROUND_HYPHEN: Final = re.compile(r"(?<=\w)\s*-\s*(?=\w)")
LABEL: Final = re.compile(
    r"(?:.*\W)?(?:"
    r"[^\W\d_]*(?:code|c[oó]d|k[oó]+d|код|κωδικ|कोड|رمز|كود|کد|קוד|mã)[^\W\d_]*"
    r"(?:\s+(?:is|ist|es|est|é|è)|[\u2019']s)?(?:\s*[:=]\s*|\s+|\s*[^\s\w-]+\s*(?=\w))"
    r"|[^\W\d_]*(?:コ[ー-]ド|代码|代碼|码|碼|코드|รหัส)\s*[:=]?\s*"
    r")(?P<code>.+)",
    re.DOTALL | re.IGNORECASE,
)
"""The word for a code, in the languages that people write, before the code itself."""
MAX_LABELLED_CHARS: Final = 128
"""Length of the longest text in which a label is looked for, since that takes its square."""
ADDED_QUERY: Final = re.compile(
    r"(?:(?:&(?:amp;)?|;)[\w.-]+=|(?<!&)[?#]).*", re.DOTALL | re.IGNORECASE
)
"""A query that somebody added to a link's path with the wrong sign, or encoded twice."""
AFTER_CODE: Final = frozenset(",!()[]{}<>\"'|*:;`")
"""Punctuation of ASCII that begins what stands behind a link without a blank."""
WORD_ENDS: Final = re.compile(r"[\s<>\"]+|\]\(|\[/?url[=\]]", re.IGNORECASE)
"""Ends of words around a link, in pages and in the markup of chats and forums as well."""
TAG: Final = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
WITH_LETTER_AND_DIGIT: Final = re.compile(r"(?=[^a-z]*[a-z])(?=\D*\d)[a-z0-9_-]+", re.IGNORECASE)
REPEATED_ENCODING: Final = re.compile("%(?:25)+")
LINK_SCHEME: Final = re.compile(r"(?:https?|intent)://", re.IGNORECASE)
WRITTEN_SCHEME: Final = re.compile(r"(?:https?|intent)(?:\\?:/{1,2}|//)", re.IGNORECASE)
"""A link's scheme as people and scanners write it, with a mark lost or escaped."""
ENCODED_SCHEME: Final = re.compile(r"https?%(?:25)*3A", re.IGNORECASE)
COMPATIBILITY_FORMS: Final = frozenset(
    {"<wide>", "<narrow>", "<font>", "<noBreak>", "<circle>", "<square>"}
)
"""Decompositions (Unicode, UAX 44) that change a character's look alone, not the letter."""
INVISIBLE_MARKS: Final = re.compile(
    "[\u0305\u0332\u0333\u0335\u0336\u033f\u034f\u035e\u035f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Marks without a shape of their own (Default_Ignorable_Code_Point) that may not be in Cf, and
lines over, under and through a letter, which are a style."""
INVISIBLE: Final = frozenset({"Cf", "Me"})
"""Categories of marks that are dropped: formats, and frames around a letter, as of keycaps."""
UNLISTED_DASHES: Final = frozenset(
    "\u02d7\u2043\u2053\u207b\u208b\u2212\u223c\u23af\u2500\u2501\u2796\u30fc\u3161\uff5e\uff70"
)
"""Dashes, minus signs, waves, and long vowels of Japanese and Korean keyboards, none in Pd."""
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
    if is_code(typed):
        return typed
    text = _trim("".join(map(_plain_form, _drop_invisible(_decoded(typed)))))
    while len(text) <= MAX_LABELLED_CHARS and (label := LABEL.fullmatch(text)):
        text = _trim(label["code"])
    text = text.translate(_UPPER)
    joined = "".join(text.split())
    # A drawn code may be read out or typed in groups.
    is_drawn = len(joined) == DRAWN_LENGTH and set(joined) <= set(ALPHABET)
    return (
        joined
        if is_drawn or LETTER_BY_LETTER.fullmatch(text)
        else BLANKS_AROUND_HYPHEN.sub("-", text)
    )


def parse_code(typed: str, *, public_url: str) -> str | None:
    """Return the code that was typed, or the one in a pasted link, with or without words around it.

    Only links below `public_url` count. None for a text that cannot be a code; such a text may be
    personal and is not stored as it is.
    """
    words = WORD_ENDS.split(_drop_invisible(typed))
    linked = {code for word in words if (code := code_in_link(word, public_url=public_url))}
    code = linked.pop() if len(linked) == 1 else normalise_code(TAG.sub(" ", typed))
    return code if is_code(code) else _code_among_words(words)


def code_in_link(word: str, *, public_url: str) -> str | None:
    """Return the code in a word that is a link below `public_url`, with or without its scheme."""
    link = split_own_link(word, public_url=public_url)
    before = f"{urlsplit(public_url).path.rstrip('/')}/r/"
    path = "" if link is None else re.sub("/+", "/", link.path)
    if not path.lower().startswith(before.lower()):
        return None
    code = code_in_path(unquote(path[len(before) :]))
    return code if is_code(code) else None


def code_in_path(text: str) -> str:
    """Return the one spelling of the code that a link's path ends with, already decoded.

    What was added behind it is left out: a query, a sentence, a further segment.
    """
    if is_code(text):
        return text
    path = _drop_invisible(unescape(ADDED_QUERY.sub("", _percent_decoded(text))))
    marked = "".join("/" if _is_after_code(mark) else _plain_form(mark) for mark in path)
    segment = strip_punctuation(marked).partition("/")[0]
    code, first_word = normalise_code(segment), normalise_code(segment.partition(" ")[0])
    return first_word if is_code(first_word) and not is_code(code) else code


def _code_among_words(words: Sequence[str]) -> str | None:
    """Return the only word of a sentence that looks like a code: it has letters and digits."""
    codes = {normalise_code(word) for word in words}
    likely = [code for code in codes if is_code(code) and WITH_LETTER_AND_DIGIT.fullmatch(code)]
    return likely[0] if len(likely) == 1 else None


def split_own_link(word: str, *, public_url: str) -> SplitResult | None:
    """Split a link to the host of `public_url`, which may be in a redirector's, or return None."""
    link = strip_punctuation(word).replace("\\/", "/")
    while link.startswith("_"):
        link = strip_punctuation(link[1:].removesuffix("_"))
    if ENCODED_SCHEME.match(link):
        link = _percent_decoded(link)
    link = unwrap_link(link)
    scheme = WRITTEN_SCHEME.search(link)
    try:
        parts = urlsplit(f"//{link[scheme.end() :] if scheme else link}")
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
    """Return a host in DNS's spelling, the same for an international one, and without `www.`."""
    return host.rstrip(".").encode("idna").decode().lower().removeprefix("www.")


def _trim(plain: str) -> str:
    """Drop what surrounds a code; no code begins with a hyphen or an underscore."""
    text = strip_punctuation(plain)
    while text[:1] in ("-", "_"):
        # An underscore before and behind is a chat's mark for italics.
        text = strip_punctuation(text[1:].removesuffix("_") if text[0] == "_" else text[1:])
    return text


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
def _is_after_code(character: str) -> bool:
    if character.isascii():
        return character in AFTER_CODE
    plain = _plain_form(character)
    return plain not in ("-", "_") and unicodedata.category(plain)[0] in "PS"


@lru_cache(1024)
def _plain_form(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character in UNLISTED_DASHES:
        return "-"
    if category == "Pc":
        return "_"
    if inverse := INVERSE_LETTERS.get(ord(character)):
        return inverse
    if category == "Nd":
        return str(unicodedata.digit(character))
    form, _, plain = unicodedata.decomposition(character).partition(" ")
    if form in COMPATIBILITY_FORMS and " " not in plain:
        return chr(int(plain, 16))
    return character
