"""Words of fraud rules: a sentence of its own for each rule, in every language."""

import pytest

from domain.fraud.rule_table import RULES
from referrals.fraud.wording.rule_words import RuleLanguage, words_of
from referrals.notifications.languages import LANGUAGES


def test_rules_have_words_in_every_language_of_messages() -> None:
    assert [language.value for language in RuleLanguage] == list(LANGUAGES)


@pytest.mark.parametrize("language", list(RuleLanguage))
def test_every_rule_has_a_sentence_of_its_own(language: RuleLanguage) -> None:
    sentences = [words_of(rule, language) for rule in RULES]

    assert len(set(sentences)) == len(RULES)
    assert all(sentence.endswith((".", "。")) for sentence in sentences)
    if language is not RuleLanguage.ENGLISH:
        assert [rule.name for rule in RULES if words_of(rule, language) == rule.words] == []
