"""Words of conditions: a sentence for every field and operator, in every language."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from domain.campaigns.conditions.fields import FIELDS, Field, FieldType, Operator, Value
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.conditions.tree import Leaf
from domain.money import Money
from referrals.campaigns.wording import vocabulary
from referrals.campaigns.wording.condition_words import CATALOGUES_DIR, ConditionWording
from referrals.localisation.languages import LanguageTag

PLACEHOLDER: Final = re.compile(r"%\(\w+\)s")
TRANSLATED: Final = [tag for tag in LanguageTag if tag is not LanguageTag.ENGLISH]
VALUES: Final[dict[FieldType, tuple[Value, ...]]] = {
    FieldType.TEXT: ("card",),
    FieldType.JURISDICTION: ("US-NJ",),
    FieldType.CURRENCY: ("USD",),
    FieldType.BOOLEAN: (True, False),
    FieldType.INTEGER: (6,),
    FieldType.MONEY: (Money(2000, "USD"),),
    FieldType.DURATION: (timedelta(days=30),),
}
SENTENCES: Final = [
    ("deposit.amount", "gte", {"minor": 2000, "currency": "USD"}, "deposit amount is at least $20"),
    ("deposit.method", "in", ["card", "bank"], "deposit method is one of card, bank"),
    ("deposit.jurisdiction", "not_in", ["US-NJ"], "deposit jurisdiction is none of US-NJ"),
    ("deposits.count", "gt", 1000, "number of deposits is more than 1,000"),
    ("share.channel", "exists", False, "share channel is not known"),
    ("referee.platform", "ne", "ios", "referee platform is not iOS"),
    ("attribution.method", "eq", "typed_code", "attribution method is typed code"),
    ("referrer.account_age", "lt", "P30D", "referrer account age is less than 30 days"),
    ("referrer.has_deposited", "eq", True, "the referrer has deposited"),
    ("referee.verified", "eq", False, "the referee is not verified"),
    (
        "referee.verified",
        "ne",
        True,
        "the referee is not verified, or that is not known",
    ),
    ("time.weekday", "in", [6, 7], "weekday of the deposit is one of Saturday, Sunday"),
    ("time.weekday", "gte", 5, "weekday of the deposit is Friday or later"),
    ("time.hour", "lte", 18, "hour of the deposit is at most 18"),
]
TREE: Final = {
    "any": [
        {"not": {"field": "referrer.account_age", "op": "lt", "value": "P30D"}},
        {
            "all": [
                {
                    "field": "deposit.amount",
                    "op": "in",
                    "value": [
                        {"minor": 1000, "currency": "JPY"},
                        {"minor": 1500, "currency": "KWD"},
                    ],
                },
                {"field": "time.weekday", "op": "lt", "value": 6},
            ]
        },
    ]
}
TREES: Final = {
    "en": (
        "At least one of these (Not (referrer account age is less than 30 days); All of these"
        " (deposit amount is one of ¥1,000, KWD\xa01.500; weekday of the deposit is before"
        " Saturday))"
    ),
    "es": (
        "Al menos una de estas condiciones (No (antigüedad de la cuenta del referente es de menos"
        " de 30 días); Todas estas condiciones (importe del depósito está en la lista: 1.000 JPY,"
        " 1,500 KWD; día de la semana del depósito es anterior a sábado))"
    ),
    "pt": (
        "Pelo menos uma destas condições (Não (idade da conta de quem indica é de menos de 30"
        " dias); Todas estas condições (valor do depósito está na lista: JP¥\xa01.000,"
        " KWD\xa01,500; dia da semana do depósito é antes de sábado))"
    ),
    "fr": (
        "Au moins une de ces conditions (Non (ancienneté du compte du parrain est de moins de 30"
        " jours); Toutes ces conditions (montant du dépôt figure dans la liste : 1\u202f000 JPY,"
        " 1,500 KWD; jour de la semaine du dépôt vient avant samedi))"
    ),
    "de": (
        "Mindestens eine dieser Bedingungen (Nicht (Kontoalter des Werbers ist weniger als 30"
        " Tage); Alle diese Bedingungen (Einzahlungsbetrag steht in der Liste: 1.000 ¥, 1,500 KWD;"
        " Wochentag der Einzahlung ist vor Samstag))"
    ),
    "ja": (
        "次の少なくとも一つ (次に当てはまらない (紹介者のアカウントの経過期間が30\xa0日未満である);"
        " 次のすべて (入金額が￥1,000、KWD\xa01.500のいずれかである;"
        " 入金の曜日が土曜日より前である))"
    ),
}


def leaves_of(field: Field) -> Iterator[Leaf]:
    """Yield a comparison of a field by each of its operators, and by each of a boolean's values."""
    values = field.one_of[:1] or VALUES[field.type]
    for op in field.operators:
        if op is Operator.EXISTS:
            yield from (Leaf(field.name, op, known) for known in (True, False))
        elif op in {Operator.IN, Operator.NOT_IN}:
            yield Leaf(field.name, op, values)
        else:
            yield from (Leaf(field.name, op, value) for value in values)


def words_of_conditions() -> set[str]:
    tables = (
        vocabulary.LABELS,
        vocabulary.COMPARISONS,
        vocabulary.WEEKDAY_COMPARISONS,
        vocabulary.CHOICES,
    )
    alone = (vocabulary.OR_UNKNOWN, vocabulary.YES, vocabulary.NO, vocabulary.UNKNOWN)
    headings = (vocabulary.ALL, vocabulary.ANY, vocabulary.NOT)
    found = {text for table in tables for text in table.values()}
    for pair in (vocabulary.KNOWN, *vocabulary.STATEMENTS.values()):
        found |= set(pair)
    return found | {*alone, *headings}


def catalogue(tag: LanguageTag) -> Catalog:
    with (CATALOGUES_DIR / tag / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=tag.value, abort_invalid=True)


@pytest.mark.parametrize("tag", list(LanguageTag))
def test_every_field_has_a_sentence_of_its_own_by_each_operator(tag: LanguageTag) -> None:
    wording, english = map(ConditionWording.in_language, (tag, LanguageTag.ENGLISH))
    leaves = [leaf for field in FIELDS.values() for leaf in leaves_of(field)]
    sentences = [wording.leaf(leaf) for leaf in leaves]

    assert len(set(sentences)) == len(leaves) > 19 * 4
    assert [text for text in sentences if "%(" in text or "None" in text] == []
    assert len({wording.label(name) for name in FIELDS}) == len(FIELDS)
    if tag is not LanguageTag.ENGLISH:
        assert [leaf for leaf in leaves if wording.leaf(leaf) == english.leaf(leaf)] == []


def test_boolean_fields_and_choices_have_words() -> None:
    booleans = {name for name, field in FIELDS.items() if field.type is FieldType.BOOLEAN}
    assert vocabulary.STATEMENTS.keys() == booleans
    choices = {choice for field in FIELDS.values() for choice in field.one_of}
    assert vocabulary.CHOICES.keys() == choices


@pytest.mark.parametrize(("field", "op", "value", "said"), SENTENCES)
def test_says_what_a_comparison_asks(field: str, op: str, value: Any, said: str) -> None:  # noqa: ANN401
    leaf = read_condition({"field": field, "op": op, "value": value}, "terms.when")
    assert str(ConditionWording.in_language(LanguageTag.ENGLISH).tree(leaf)) == said


@pytest.mark.parametrize("tag", list(LanguageTag))
def test_says_a_tree_with_the_language_s_own_sums_lists_days_and_durations(
    tag: LanguageTag,
) -> None:
    condition = read_condition(TREE, "terms.when")
    said = str(ConditionWording.in_language(tag).tree(condition))
    assert said.replace("\xa0", " ") == TREES[tag].replace("\xa0", " ")


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (LanguageTag.ENGLISH, ["unknown", "yes", "typed code", "US-NJ", "Monday", "7"]),
        (LanguageTag.GERMAN, ["unbekannt", "ja", "eingetippter Code", "US-NJ", "Montag", "7"]),
        (LanguageTag.JAPANESE, ["不明", "はい", "入力されたコード", "US-NJ", "月曜日", "7"]),
    ],
)
def test_says_the_values_that_were_judged(tag: LanguageTag, words: list[str]) -> None:
    judged: list[tuple[str, Value | None]] = [
        ("deposit.amount", None),
        ("referee.verified", True),
        ("attribution.method", "typed_code"),
        ("referee.jurisdiction", "US-NJ"),
        ("time.weekday", 1),
        ("time.hour", 7),
    ]
    wording = ConditionWording.in_language(tag)
    assert [wording.value(field, value) for field, value in judged] == words


def test_a_text_that_is_no_choice_and_a_field_that_is_gone_are_shown_as_written() -> None:
    wording = ConditionWording.in_language(LanguageTag.JAPANESE)
    assert wording.value("referee.platform", "television") == "television"
    assert (wording.label("referee.shoe"), wording.value("referee.shoe", "44")) == (
        "referee.shoe",
        "44",
    )
    assert wording.value("deposit.method", "%(web)s cookie") == "%(web)s cookie"
    leaf = Leaf("share.channel", Operator.IN, ("cookie", "{0}"))
    assert wording.leaf(leaf) == "共有チャネルがcookie、{0}のいずれかである"


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_translates_all_words_and_no_others(tag: LanguageTag) -> None:
    texts = {str(entry.id): str(entry.string) for entry in catalogue(tag) if entry.id}
    assert texts.keys() == words_of_conditions()
    assert [text for text, translation in texts.items() if not translation.strip()] == []
    assert [
        text
        for text, translation in texts.items()
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(translation))
        or "%" in PLACEHOLDER.sub("", translation)
    ] == []
