"""Languages of notifications, and the choice of one for a player."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

from domain.field_shapes import without_extensions
from referrals.localisation.languages import ENGLISH, Language, LanguageTag, language_of

CATALOGUES_DIR: Final = Path(__file__).parent / "locale"
LANGUAGES: Final = {tag.value: language_of(CATALOGUES_DIR, tag) for tag in LanguageTag}
FIRST_RANGE: Final = re.compile("[,;]")
"""End of the first range of an Accept-Language header."""


def parse_locale(text: str) -> Locale | None:
    """Parse a locale such as `de-AT` or `EN_us`, or return None where CLDR knows none."""
    try:
        return Locale.parse(without_extensions(text.strip()).replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return None


def tag_of(locale: Locale) -> str:
    """Return the tag of a locale as players and services write it, such as `de-AT`."""
    return str(locale).replace("_", "-")


def choose_language(*wanted: str | None) -> Language:
    """Return the language of the first locale that has messages, with that locale's formats.

    English for a player of whom no such locale is known.
    """
    for text in wanted:
        # A service may hand on a whole Accept-Language header.
        locale = parse_locale(FIRST_RANGE.split(text, maxsplit=1)[0]) if text else None
        if locale is not None and locale.language in LANGUAGES:
            return replace(LANGUAGES[locale.language], tag=tag_of(locale), locale=locale)
    return ENGLISH
