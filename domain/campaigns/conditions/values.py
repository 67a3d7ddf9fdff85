"""Values of conditions: read from JSON by their field's type, and written back."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from domain.campaigns.conditions.fields import Field, FieldType, Value
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.written import (
    is_integer,
    read_duration,
    read_money,
    write_duration,
    write_money,
)
from domain.money import CURRENCY_PATTERN, LARGEST_MINOR, Money

MAX_TEXT_CHARS: Final = 64
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII)


def read_value(written: object, field: Field, path: str) -> Value:
    """Return the value of a field's type, or raise a fault that says what it must be."""
    if field.type is FieldType.INTEGER:
        return _integer(written, field, path)
    if field.type is FieldType.TEXT:
        return _text(written, field, path)
    return _READ[field.type](written, path)


def write_value(value: Value) -> object:
    if isinstance(value, Money):
        return write_money(value)
    return write_duration(value) if isinstance(value, timedelta) else value


def _boolean(written: object, path: str) -> bool:
    if not isinstance(written, bool):
        raise TermsFaultError(path, "Must be true or false")
    return written


def _integer(written: object, field: Field, path: str) -> int:
    most = LARGEST_MINOR if field.most is None else field.most
    if not is_integer(written) or not field.least <= int(str(written)) <= most:
        raise TermsFaultError(path, f"Must be a whole number from {field.least} to {most}")
    return int(str(written))


def _matching(written: object, pattern: re.Pattern[str], path: str, what: str) -> str:
    if not isinstance(written, str) or not pattern.fullmatch(written):
        raise TermsFaultError(path, f"Must be {what}")
    return written


def _text(written: object, field: Field, path: str) -> str:
    if not isinstance(written, str) or not 1 <= len(written) <= MAX_TEXT_CHARS:
        raise TermsFaultError(path, f"Must be a text of 1 to {MAX_TEXT_CHARS} characters")
    if not written.isprintable():
        raise TermsFaultError(path, "Must not contain control characters")
    if field.one_of and written not in field.one_of:
        raise TermsFaultError(path, f"Must be one of {', '.join(field.one_of)}")
    return written


def _jurisdiction(written: object, path: str) -> str:
    return _matching(written, _JURISDICTION, path, "an ISO 3166 code, such as US-NJ")


def _currency(written: object, path: str) -> str:
    return _matching(written, CURRENCY_PATTERN, path, "three capital letters")


_READ: Final[Mapping[FieldType, Callable[[object, str], Value]]] = {
    FieldType.BOOLEAN: _boolean,
    FieldType.CURRENCY: _currency,
    FieldType.DURATION: read_duration,
    FieldType.JURISDICTION: _jurisdiction,
    FieldType.MONEY: read_money,
}
