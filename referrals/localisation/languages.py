"""Languages of texts for people, with their catalogues, which are compiled when they are loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    tag: str
    """As in `Accept-Language` and `<html lang>`."""
    locale: Locale
    """For the format of numbers and durations, and for Open Graph."""
    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]


def load_language(catalogues: Path, tag: str, territory: str) -> Language:
    """Compile the catalogue of a language in a folder of catalogues."""
    compiled = BytesIO()
    with (catalogues / tag / "LC_MESSAGES" / "messages.po").open("rb") as catalogue:
        write_mo(compiled, read_po(catalogue, locale=tag))
    compiled.seek(0)
    return _language(tag, Locale(tag, territory), GNUTranslations(compiled))


def _language(tag: str, locale: Locale, texts: NullTranslations) -> Language:
    return Language(tag=tag, locale=locale, gettext=texts.gettext, ngettext=texts.ngettext)


ENGLISH: Final = _language("en", Locale("en", "US"), NullTranslations())
"""English needs no catalogue, because its sentences are in the code."""


class LanguageTag(StrEnum):
    """Languages of players' messages and of the API's words, by their tags."""

    ENGLISH = "en"
    SPANISH = "es"
    PORTUGUESE = "pt"
    FRENCH = "fr"
    GERMAN = "de"
    JAPANESE = "ja"


_TERRITORIES: Final = {
    LanguageTag.SPANISH: "ES",
    LanguageTag.PORTUGUESE: "BR",
    LanguageTag.FRENCH: "FR",
    LanguageTag.GERMAN: "DE",
    LanguageTag.JAPANESE: "JP",
}
"""Territory of each catalogue; English has none."""


@cache
def language_of(catalogues: Path, tag: LanguageTag) -> Language:
    """Return a language with the texts of a folder of catalogues, compiled once."""
    if tag is LanguageTag.ENGLISH:
        return ENGLISH
    return load_language(catalogues, tag.value, _TERRITORIES[tag])
