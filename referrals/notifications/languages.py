"""Languages of notifications, and the choice of one for a player."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from babel import Locale, UnknownLocaleError

from referrals.localisation.languages import ENGLISH, Language, load_language

CATALOGUES_DIR: Final = Path(__file__).parent / "locale"
LANGUAGES: Final = {
    "en": ENGLISH,
    "es": load_language(CATALOGUES_DIR, "es", "ES"),
    "pt": load_language(CATALOGUES_DIR, "pt", "BR"),
    "fr": load_language(CATALOGUES_DIR, "fr", "FR"),
    "de": load_language(CATALOGUES_DIR, "de", "DE"),
    "ja": load_language(CATALOGUES_DIR, "ja", "JP"),
}


def parse_locale(text: str) -> Locale | None:
    """Parse a locale such as `de-AT` or `EN_us`, or return None where CLDR knows none."""
    try:
        return Locale.parse(text.strip().replace("_", "-"), sep="-")
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
        locale = parse_locale(text) if text else None
        if locale is not None and locale.language in LANGUAGES:
            return replace(LANGUAGES[locale.language], tag=tag_of(locale), locale=locale)
    return ENGLISH
