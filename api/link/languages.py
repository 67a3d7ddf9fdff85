"""Languages of the pages and texts for people, and the choice of one for a request."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOGUES_DIR: Final = Path(__file__).parent / "landing" / "locale"
"""Catalogues, compiled at import; English needs none, because its sentences are in the code."""
MAX_ACCEPT_LANGUAGE_CHARS: Final = 256
"""Characters of Accept-Language that are read."""
LANGUAGE_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d+)?)\s*)?"
)
"""A language range of RFC 4647 and its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    tag: str
    """As in `Accept-Language` and `<html lang>`."""
    locale: Locale
    """For the format of numbers and durations, and for Open Graph."""
    gettext: Callable[[str], str]


def negotiate_language(accept_language: str, *, preferred: str | None = None) -> Language:
    """Return the best language for an `Accept-Language` header, unless `preferred` is offered."""
    ranges = [tag for tag in (preferred, *_by_preference(accept_language)) if tag]
    tag = negotiate_locale(ranges, LANGUAGES.keys(), sep="-") if ranges else None
    return LANGUAGES[tag] if tag else ENGLISH


def _by_preference(accept_language: str) -> Iterator[str]:
    parts = accept_language[:MAX_ACCEPT_LANGUAGE_CHARS].split(",")
    found = [LANGUAGE_RANGE.fullmatch(part) for part in parts]
    weighted = [(float(match[2] or 1), match[1]) for match in found if match]
    for weight, tag in sorted(weighted, key=lambda pair: -pair[0]):
        if weight > 0:
            yield tag


def _load_language(tag: str, territory: str) -> Language:
    compiled = BytesIO()
    with (CATALOGUES_DIR / tag / "LC_MESSAGES" / "messages.po").open("rb") as catalogue:
        write_mo(compiled, read_po(catalogue, locale=tag))
    compiled.seek(0)
    locale = Locale(tag, territory)
    return Language(tag=tag, locale=locale, gettext=GNUTranslations(compiled).gettext)


def _untranslated(sentence: str) -> str:
    return sentence


ENGLISH: Final = Language(tag="en", locale=Locale("en", "US"), gettext=_untranslated)
LANGUAGES: Final = {
    "en": ENGLISH,
    "es": _load_language("es", "ES"),
    "pt": _load_language("pt", "BR"),
    "fr": _load_language("fr", "FR"),
    "de": _load_language("de", "DE"),
}
