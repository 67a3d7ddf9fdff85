"""Values of terms as they are written in JSON: money, ISO 8601 durations, objects."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from domain.campaigns.faults import TermsFaultError
from domain.money import CURRENCY_PATTERN, LARGEST_MINOR, Money

DURATION_PATTERN: Final = re.compile(
    r"P(?=.)(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?"
    r"(?:T(?=.)(?:([0-9]{1,5})H)?(?:([0-9]{1,7})M)?(?:([0-9]{1,9})S)?)?",
    re.ASCII,
)


def read_object(written: object, path: str) -> Mapping[str, Any]:
    if not isinstance(written, Mapping):
        raise TermsFaultError(path, "Must be an object")
    return written


def check_keys(written: Mapping[str, Any], path: str, *, known: frozenset[str]) -> None:
    """Raise a fault that names the first key that is not known."""
    for key in written:
        if key not in known:
            raise TermsFaultError(f"{path}.{str(key)[:64]}", "Is not a known field")


def is_integer(written: object) -> bool:
    return isinstance(written, int) and not isinstance(written, bool)


def read_word(written: object, values: tuple[str, ...], path: str) -> str:
    """Return one of the words, or raise a fault that lists them."""
    if not isinstance(written, str) or written not in values:
        raise TermsFaultError(path, f"Must be one of {', '.join(values)}")
    return written


def read_money(written: object, path: str) -> Money:
    fields = read_object(written, path)
    check_keys(fields, path, known=frozenset({"minor", "currency"}))
    minor, currency = fields.get("minor"), fields.get("currency")
    if not isinstance(minor, int) or isinstance(minor, bool) or not 0 <= minor <= LARGEST_MINOR:
        raise TermsFaultError(f"{path}.minor", f"Must be a whole number from 0 to {LARGEST_MINOR}")
    if not isinstance(currency, str) or not CURRENCY_PATTERN.fullmatch(currency):
        raise TermsFaultError(f"{path}.currency", "Must be three capital letters")
    return Money(minor, currency)


def write_money(money: Money) -> dict[str, Any]:
    return {"minor": money.minor, "currency": money.currency}


def read_duration(written: object, path: str) -> timedelta:
    match = DURATION_PATTERN.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise TermsFaultError(path, "Must be an ISO 8601 duration in weeks or less, such as P30D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """Return the ISO 8601 text of a duration in whole seconds."""
    time = f"T{duration.seconds}S" if duration.seconds else ""
    days = f"{duration.days}D" if duration.days or not time else ""
    return f"P{days}{time}"
