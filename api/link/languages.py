"""The languages that people are answered in, and which of them a visitor asks for."""

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
"""Catalogues, compiled at the start of the process; sentences in the code are the English ones."""
MAX_ACCEPT_LANGUAGE_CHARS: Final = 256
LANGUAGE_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d+)?)\s*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    tag: str
    """As in `Accept-Language` and `<html lang>`."""
    locale: Locale
    """How numbers and times are written, and what Open Graph is told."""
    gettext: Callable[[str], str]


def negotiate_language(accepted: str, wish: str | None = None) -> Language:
    """The best language for an `Accept-Language` header, which a wish of the visitor overrides."""
    ranges = [tag for tag in (wish, *_by_preference(accepted)) if tag]
    tag = negotiate_locale(ranges, LANGUAGES.keys(), sep="-") if ranges else None
    return LANGUAGES[tag] if tag else ENGLISH


def _by_preference(accepted: str) -> Iterator[str]:
    found = [
        LANGUAGE_RANGE.fullmatch(part) for part in accepted[:MAX_ACCEPT_LANGUAGE_CHARS].split(",")
    ]
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


def _written(sentence: str) -> str:
    return sentence


ENGLISH: Final = Language(tag="en", locale=Locale("en", "US"), gettext=_written)
LANGUAGES: Final = {
    "en": ENGLISH,
    "es": _load_language("es", "ES"),
    "pt": _load_language("pt", "BR"),
    "fr": _load_language("fr", "FR"),
    "de": _load_language("de", "DE"),
}
