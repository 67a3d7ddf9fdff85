"""Words of fraud rules for reviewers, in each language that players' messages have."""

from pathlib import Path
from typing import Final

from domain.fraud.rule import Rule
from referrals.localisation.languages import LanguageTag, language_of

CATALOGUES_DIR: Final = Path(__file__).parent / "locale"


def words_of(rule: Rule, language: LanguageTag) -> str:
    """Return a rule in a sentence; in English where the language's catalogue lacks it."""
    return language_of(CATALOGUES_DIR, language).gettext(rule.words)
