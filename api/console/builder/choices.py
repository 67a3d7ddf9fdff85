"""Choices of the builder's lists: words of the API, and how people say them."""

from collections.abc import Mapping
from typing import Final

from api.console.offers.words import CONDITIONS
from domain.campaigns.conditions.fields import FIELDS, Field, FieldType, Operator

ON: Final = {
    "any_deposit": "Any deposit",
    "first_deposit": "The very first deposit",
    "total_deposits": "All deposits together",
}
TO: Final = {"referrer": "Referrer", "referee": "Referee"}
KINDS: Final = {"cash": "Cash", "bonus_bet": "Bonus bet"}
SIMPLE: Final = {"flat": "Fixed", "percent": "Share of the deposit"}
LOCAL: Final = {**SIMPLE, "tiers": "By rewarded friends"}
SHAPES: Final = {**LOCAL, "by_jurisdiction": "By place of signup"}
OF: Final = {"referrer": "Each referrer", "campaign": "The campaign"}
PER: Final = {
    "day": "a day",
    "week": "a week",
    "month": "a month",
    "tax_year": "a tax year",
    "campaign": "in all",
}
OVER: Final = {"defer": "waits", "refuse": "is refused"}
GROUPS: Final = {"all": "All of these", "any": "At least one of these", "none": "None of these"}
YES_NO: Final = {"true": "yes", "false": "no"}
_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.EQ: "is",
    Operator.NE: "is not",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.GT: "is more than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.EXISTS: "is known",
}
_HINTS: Final[Mapping[FieldType, str]] = {
    FieldType.JURISDICTION: "ISO 3166, such as US-NJ",
    FieldType.CURRENCY: "ISO 4217, such as USD",
    FieldType.INTEGER: "A whole number",
    FieldType.MONEY: "Such as 25.00",
    FieldType.DURATION: "Such as 30 days",
    FieldType.TEXT: "Text",
}
LABELS: Final = {name: CONDITIONS.label(name) for name in FIELDS}


def operators(name: str) -> dict[str, str]:
    """Return the operators of a field, and how people say them."""
    field = FIELDS.get(name)
    return {op.value: _OPERATORS[op] for op in field.operators} if field else {}


def values(name: str, op: str) -> dict[str, str]:
    """Return the values to choose from; none where one is typed."""
    field = FIELDS.get(name)
    if op == Operator.EXISTS or (field and field.type is FieldType.BOOLEAN):
        return YES_NO
    if field and field.one_of and op in {Operator.EQ, Operator.NE}:
        return {"": "Choose", **{one: CONDITIONS.value(name, one) for one in field.one_of}}
    return {}


def hint(name: str, op: str) -> str:
    """Return what to type."""
    field = FIELDS.get(name)
    if field is None:
        return ""
    said = _what(field)
    return f"{said}; several with commas" if op in {Operator.IN, Operator.NOT_IN} else said


def about(name: str) -> str:
    field = FIELDS.get(name)
    return field.description if field else ""


def _what(field: Field) -> str:
    return ", ".join(field.one_of) if field.one_of else _HINTS.get(field.type, "")
