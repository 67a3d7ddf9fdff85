"""Words of fraud rules: a sentence of its own for each rule, in every language."""

import pytest

from domain.fraud.rule_table import RULES
from referrals.fraud.wording.rule_words import words_of
from referrals.localisation.languages import LanguageTag


@pytest.mark.parametrize("language", list(LanguageTag))
def test_every_rule_has_a_sentence_of_its_own(language: LanguageTag) -> None:
    sentences = [words_of(rule, language) for rule in RULES]

    assert len(set(sentences)) == len(RULES)
    assert all(sentence.endswith((".", "。")) for sentence in sentences)
    if language is not LanguageTag.ENGLISH:
        assert [rule.name for rule in RULES if words_of(rule, language) == rule.words] == []
