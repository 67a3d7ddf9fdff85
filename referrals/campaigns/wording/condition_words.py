"""Conditions in words, in each language that players' messages have."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Final, Literal

from babel.dates import get_day_names
from babel.numbers import format_decimal

from domain.campaigns.conditions.fields import FIELDS, Operator, Value
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not
from domain.money import Money
from referrals.campaigns.wording.vocabulary import (
    ALL,
    ANY,
    CHOICES,
    COMPARISONS,
    KNOWN,
    LABELS,
    NO,
    NOT,
    OR_UNKNOWN,
    STATEMENTS,
    UNKNOWN,
    WEEKDAY,
    WEEKDAY_COMPARISONS,
    YES,
)
from referrals.localisation.formats import format_duration, format_money
from referrals.localisation.languages import Language, LanguageTag, language_of

CATALOGUES_DIR: Final = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence or a heading, with what belongs under it."""

    text: str
    parts: tuple["Words", ...] = ()

    def __str__(self) -> str:
        """Return all of it on one line, such as `All of these (a; b)`."""
        return f"{self.text} ({'; '.join(map(str, self.parts))})" if self.parts else self.text


@dataclass(frozen=True, slots=True)
class ConditionWording:
    """The words of conditions in one language."""

    language: Language
    cents: Literal["some", "always"] = "some"
    """Format of whole sums: as $10, or always with cents as $10.00."""

    @classmethod
    def in_language(cls, tag: LanguageTag) -> "ConditionWording":
        return cls(language_of(CATALOGUES_DIR, tag))

    def tree(self, condition: Condition) -> Words:
        match condition:
            case Leaf():
                return Words(self.leaf(condition))
            case Not(child):
                return Words(self._text(NOT), (self.tree(child),))
            case AllOf(children):
                return Words(self._text(ALL), tuple(map(self.tree, children)))
            case AnyOf(children):
                return Words(self._text(ANY), tuple(map(self.tree, children)))

    def leaf(self, leaf: Leaf) -> str:
        """Return a comparison in a sentence, such as `deposit amount is at least $20`."""
        label = self.label(leaf.field)
        if leaf.op is Operator.EXISTS:
            return self._text(KNOWN[0] if leaf.value else KNOWN[1]) % {"field": label}
        if isinstance(leaf.value, bool):
            return self._statement(leaf, is_true=leaf.value)
        sentences = WEEKDAY_COMPARISONS if leaf.field == WEEKDAY else COMPARISONS
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        value = self._list(self.value(leaf.field, one) for one in values)
        return self._text(sentences[leaf.op]) % {"field": label, "value": value}

    def label(self, field: str) -> str:
        """Return the name of a field for people; one that is gone since is named as it was."""
        return self._text(LABELS[field]) if field in LABELS else field

    def value(self, field: str, value: Value | None) -> str:
        """Return a value of a field; jurisdictions, currencies and other texts as they are."""
        match value:
            case None:
                return self._text(UNKNOWN)
            case bool():
                return self._text(YES if value else NO)
            case Money():
                return format_money(value, self.language, cents=self.cents)
            case timedelta():
                return format_duration(value, self.language)
            case int():
                return self._number(field, value)
            case str():
                is_choice = field in FIELDS and value in FIELDS[field].one_of
                return self._text(CHOICES[value]) if is_choice else value

    def _statement(self, leaf: Leaf, *, is_true: bool) -> str:
        """Return a comparison with true or false; `ne` holds for an unknown value as well."""
        if_true, if_false = map(self._text, STATEMENTS[leaf.field])
        if leaf.op is Operator.EQ:
            return if_true if is_true else if_false
        return self._text(OR_UNKNOWN) % {"statement": if_false if is_true else if_true}

    def _number(self, field: str, value: int) -> str:
        if field == WEEKDAY:
            return str(get_day_names(locale=self.language.locale)[value - 1])
        return str(format_decimal(value, locale=self.language.locale))

    def _list(self, values: Iterable[str]) -> str:
        """Join values as the language does inside of a list: `a, b, c`, in Japanese `a、b、c`."""
        return reduce(self.language.locale.list_patterns["standard"]["middle"].format, values)

    def _text(self, english: str) -> str:
        return self.language.gettext(english)
