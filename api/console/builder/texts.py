"""Texts of the builder's fields: money in major units, durations in words, lists with commas."""

import csv
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from domain.campaigns.conditions.fields import Field, FieldType, Operator
from domain.campaigns.written import write_duration
from domain.money import LARGEST_MINOR, Money, decimals_of
from referrals.localisation.formats import format_duration

LISTING: Final = frozenset({Operator.IN, Operator.NOT_IN})
_SPAN: Final = re.compile(r"([0-9]{1,7}) *(week|day|hour|minute|second)s?", re.ASCII)
_AMOUNT: Final = re.compile(
    r"(?P<dollars>\$ ?)?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.(?P<fraction>[0-9]{1,4}))?"
    r"(?: *(?P<currency>[A-Z]{3}))?",
    re.ASCII,
)
"""An amount in major units, where commas stand only between thousands: 25,00 would be 2,500."""
_DOLLARS: Final = "USD"
_WHOLE: Final = re.compile(r"0?[0-9]|[1-9][0-9]{1,9}", re.ASCII)
_AMBIGUOUS: Final = {
    FieldType.MONEY: re.compile(r"[0-9],[0-9]"),
    FieldType.INTEGER: re.compile(r"[0-9],[0-9]{3}(?![0-9])"),
}
"""Lists in which a comma may be part of a number, such as 25,00 or 1,500."""
_QUOTED: Final = re.compile(r'"[^"]*"')


class TextFaultError(ValueError):
    """A text that is not what its field holds; the message says what to write."""


def show_amount(money: Money | None, currency: str) -> str:
    """Return an amount in major units, such as 10.00; one in another currency with its code."""
    if money is None:
        return ""
    shown = str(Decimal(money.minor).scaleb(-decimals_of(money.currency)))
    return shown if money.currency == currency else f"{shown} {money.currency}"


def read_amount(typed: str, currency: str) -> dict[str, Any]:
    """Return money as JSON, of the currency that is typed behind it or else of the given one.

    Raise a TextFaultError for what is not whole minor units.
    """
    match = _AMOUNT.fullmatch(typed.strip().upper())
    own = (match and match["currency"]) or currency
    decimals = decimals_of(own)
    fraction = (match and match["fraction"]) or ""
    if match is None or (match["dollars"] and own != _DOLLARS) or len(fraction) > decimals:
        raise TextFaultError(_how_to_write(own))
    minor = int(match["whole"].replace(",", "") + fraction.ljust(decimals, "0"))
    if minor > LARGEST_MINOR:
        raise TextFaultError(_how_to_write(own))
    return {"minor": minor, "currency": own}


def _how_to_write(currency: str) -> str:
    decimals = decimals_of(currency)
    if not decimals:
        return f"Write an amount in {currency}, such as 25 or 1,000"
    cents = "0" * decimals
    return (
        f"Write an amount in {currency}, such as 25.{cents} or 1,000.{cents}: a point before the"
        " decimals, commas only between thousands"
    )


def show_span(span: timedelta) -> str:
    """Return a duration in words where one unit tells it, and in ISO 8601 otherwise."""
    words = format_duration(span)
    return words if _SPAN.fullmatch(words) and _read_words(words) == span else write_duration(span)


def read_span(typed: str) -> str:
    """Return a duration in ISO 8601; a text that is neither words nor ISO 8601 is refused later."""
    span = _read_words(typed)
    return typed if span is None else write_duration(span)


def _read_words(typed: str) -> timedelta | None:
    match = _SPAN.fullmatch(typed.lower())
    return timedelta(**{f"{match[2]}s": int(match[1])}) if match else None


def read_whole(typed: str) -> int:
    if not _WHOLE.fullmatch(typed):
        raise TextFaultError("Write a whole number")
    return int(typed)


def show_value(field: Field | None, value: object, currency: str) -> str:
    """Return a condition's value as it is typed."""
    match value:
        case tuple():
            return ", ".join(_quote(show_value(field, one, currency)) for one in value)
        case bool():
            return "true" if value else "false"
        case Money():
            return show_amount(value, currency)
        case timedelta():
            return show_span(value)
        case _:
            return str(value)


def read_value(typed: str, field: Field, op: str, currency: str) -> object:
    """Return a condition's value as JSON; what the field refuses is refused later, by its path."""
    if op == Operator.EXISTS:
        return typed == "true"
    if op in LISTING:
        return [_read_one(one, field, currency) for one in _listed(typed, field)]
    return _read_one(typed, field, currency)


def _quote(one: str) -> str:
    doubled = one.replace('"', '""')
    return f'"{doubled}"' if "," in one or '"' in one else one


def _listed(typed: str, field: Field) -> list[str]:
    """Return the values between the commas; a value with a comma in it stands in quotes."""
    ambiguous = _AMBIGUOUS.get(field.type)
    if ambiguous is not None and ambiguous.search(_QUOTED.sub("", typed)):
        raise TextFaultError("Write a blank after each comma between values, as in 25.00, 1000.00")
    try:
        (values,) = csv.reader([typed], skipinitialspace=True)
    except (csv.Error, ValueError) as fault:
        raise TextFaultError("Write values with commas between them") from fault
    return [value.strip() for value in values if value.strip()]


def _read_one(typed: str, field: Field, currency: str) -> object:
    match field.type:
        case FieldType.BOOLEAN:
            return typed == "true"
        case FieldType.INTEGER:
            return read_whole(typed)
        case FieldType.MONEY:
            return read_amount(typed, currency)
        case FieldType.DURATION:
            return read_span(typed)
        case FieldType.JURISDICTION | FieldType.CURRENCY:
            return typed.upper()
        case FieldType.TEXT:
            return typed
