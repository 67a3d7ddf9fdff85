"""Words of fraud rules for reviewers, in each language that players' messages have."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from domain.fraud.rule import Rule
from referrals.localisation.languages import ENGLISH, Language, load_language

CATALOGUES_DIR: Final = Path(__file__).parent / "locale"


class RuleLanguage(StrEnum):
    """Languages of the words, by their tags."""

    ENGLISH = "en"
    SPANISH = "es"
    PORTUGUESE = "pt"
    FRENCH = "fr"
    GERMAN = "de"
    JAPANESE = "ja"


TERRITORIES: Final = {
    RuleLanguage.SPANISH: "ES",
    RuleLanguage.PORTUGUESE: "BR",
    RuleLanguage.FRENCH: "FR",
    RuleLanguage.GERMAN: "DE",
    RuleLanguage.JAPANESE: "JP",
}
"""Territory of each catalogue; English needs none."""


def words_of(rule: Rule, language: RuleLanguage) -> str:
    """Return a rule in a sentence; in English where the language's catalogue lacks it."""
    return _load(language).gettext(rule.words)


@cache
def _load(language: RuleLanguage) -> Language:
    if language is RuleLanguage.ENGLISH:
        return ENGLISH
    return load_language(CATALOGUES_DIR, language, TERRITORIES[language])
