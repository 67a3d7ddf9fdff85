"""The kinds of field that bodies are made of, each with its bounds."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import pycountry
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.json_schema import WithJsonSchema

from domain.intake.facts import CLOCK_SKEW, ID_PATTERN, MAX_TIME, MIN_TIME, UNSTORABLE_CHARACTERS
from domain.money import LARGEST_MINOR, Money
from domain.privacy import HASH_SHAPE

MAX_UNHASHED_CHARS: Final = 64
MAX_FREE_TEXT_CHARS: Final = 1024
MAX_HASH_CHARS: Final = 68
LONGEST_DURATION: Final = timedelta(days=3660)
RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
DURATION: Final = re.compile(
    r"P(?=[\dT])(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
CURRENCIES: Final = frozenset(currency.alpha_3 for currency in pycountry.currencies)
ID_REGEX: Final = f"^{ID_PATTERN.pattern}$"
SLUG_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"


class RequestBody(BaseModel):
    """A body: fields that are not known are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """An answer, made from what the database's queries return."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("This is no currency of ISO 4217")
    return text


def _time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("A time is RFC 3339 with an offset, such as 2026-03-01T12:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise ValueError("There is no such time") from fault


def _check_past(moment: datetime) -> datetime:
    if not MIN_TIME <= moment <= datetime.now(UTC) + CLOCK_SKEW:
        raise ValueError("A time lies between the year 2000 and five minutes from now")
    return moment


def _check_planned(moment: datetime) -> datetime:
    if not MIN_TIME <= moment <= MAX_TIME:
        raise ValueError("A time lies between the years 2000 and 2100")
    return moment


def _parse_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("A duration is ISO 8601 in weeks, days, hours, minutes and seconds")
    parts = {unit: int(count) for unit, count in match.groupdict().items() if count}
    duration = timedelta(**parts)
    if duration > LONGEST_DURATION:
        raise ValueError("A duration is at most ten years")
    return duration


def _check_positive(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError("This duration must be longer than nothing")
    return duration


def _check_storable(text: str) -> str:
    if UNSTORABLE_CHARACTERS.search(text):
        raise ValueError("Text has neither NUL nor half of a character")
    return text


def _truncate(value: object) -> object:
    """As much of a text as is stored; what was cut or replaced is no code and no token."""
    if not isinstance(value, str):
        return value
    return UNSTORABLE_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", value)[:MAX_FREE_TEXT_CHARS]


def _given(value: object) -> object:
    """An empty field was not filled in: unknown, and not the same as other empty ones."""
    return None if isinstance(value, str) and not value.strip() else value


def _check_short_or_hashed(text: str) -> str:
    if len(text) > MAX_UNHASHED_CHARS and not HASH_SHAPE.fullmatch(text):
        raise ValueError(f"This has at most {MAX_UNHASHED_CHARS} characters, or is hashed already")
    return text


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("This cannot be blank")
    return text


Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)}),
]
Minor = Annotated[int, Field(strict=True, ge=0, le=LARGEST_MINOR)]
PositiveMinorUnits = Annotated[int, Field(strict=True, ge=1, le=LARGEST_MINOR)]
_TIME_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-03-01T12:00:00Z"],
}
PastTime = Annotated[
    datetime, BeforeValidator(_time), AfterValidator(_check_past), WithJsonSchema(_TIME_SCHEMA)
]
PlannedTime = Annotated[
    datetime, BeforeValidator(_time), AfterValidator(_check_planned), WithJsonSchema(_TIME_SCHEMA)
]
_DURATION_SCHEMA: Final = {"type": "string", "format": "duration", "examples": ["P30D", "PT5S"]}
Duration = Annotated[timedelta, BeforeValidator(_parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    AfterValidator(_check_positive),
    WithJsonSchema(_DURATION_SCHEMA),
]
_StorableText = Annotated[str, AfterValidator(_check_storable)]
Text = Annotated[_StorableText, Field(min_length=1), AfterValidator(_check_not_blank)]
Word = Annotated[Text, Field(max_length=32)]
Line = Annotated[Text, Field(max_length=64)]
Text320 = Annotated[Text, Field(max_length=320)]
OptionalText64 = Annotated[
    Annotated[_StorableText, Field(max_length=64)] | None, BeforeValidator(_given)
]
OptionalText64OrHash = Annotated[
    Annotated[
        _StorableText, Field(max_length=MAX_HASH_CHARS), AfterValidator(_check_short_or_hashed)
    ]
    | None,
    BeforeValidator(_given),
]
"""At most 64 characters as it is, or hashed already, which takes a few more."""
OptionalText320 = Annotated[
    Annotated[_StorableText, Field(max_length=320)] | None, BeforeValidator(_given)
]
Brought = Annotated[str | None, BeforeValidator(_given), BeforeValidator(_truncate)]
"""What a person typed, or a browser or an app brought. Too long or unstorable, it is cut and not
refused: the event would go with it."""
OptionalText4096 = Annotated[
    Annotated[_StorableText, Field(max_length=4096)] | None, BeforeValidator(_given)
]
Id = Annotated[str, StringConstraints(pattern=ID_REGEX)]
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]


class MoneyIn(RequestBody):
    """Whole minor units of one currency."""

    minor: Minor
    currency: Currency

    def money(self) -> Money:
        return Money(self.minor, self.currency)


class PositiveMoneyIn(MoneyIn):
    """Money that something happened to: more than nothing."""

    minor: PositiveMinorUnits


class MoneyOut(ResponseBody):
    minor: int
    currency: str
