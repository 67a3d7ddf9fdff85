"""Field types shared by request and response bodies, each with its bounds."""

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
"""Bounds a personal value that the caller sends as it is."""
MAX_HASH_CHARS: Final = 68
"""Bounds a personal value that the caller has hashed already: the prefix and 64 hex digits."""
MAX_FREE_TEXT_CHARS: Final = 1024
"""Bounds the stored part of a free text; the rest is cut off."""
MAX_DURATION: Final = timedelta(days=3660)
"""Bounds every window of a campaign: about ten years."""
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
    """Base of request bodies: unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """Base of response bodies, built from the attributes of a view dataclass."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def _check_currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("Must be an ISO 4217 currency code")
    return text


def _parse_time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("Must be an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        raise ValueError("This date or time does not exist") from fault


def _check_past(moment: datetime) -> datetime:
    if not MIN_TIME <= moment <= datetime.now(UTC) + CLOCK_SKEW:
        raise ValueError("Must lie between the year 2000 and five minutes from now")
    return moment


def _check_planned(moment: datetime) -> datetime:
    if not MIN_TIME <= moment <= MAX_TIME:
        raise ValueError("Must lie between the years 2000 and 2100")
    return moment


def _parse_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("Must be an ISO 8601 duration in weeks, days, hours, minutes and seconds")
    parts = {unit: int(count) for unit, count in match.groupdict().items() if count}
    duration = timedelta(**parts)
    if duration > MAX_DURATION:
        raise ValueError("Must be at most ten years")
    return duration


def _check_positive(duration: timedelta) -> timedelta:
    if not duration:
        raise ValueError("Must be longer than zero")
    return duration


def _check_storable(text: str) -> str:
    if UNSTORABLE_CHARACTERS.search(text):
        raise ValueError("Must not contain NUL or unpaired surrogates")
    return text


def _truncate(value: object) -> object:
    """Replace unstorable characters and truncate, so that the event is kept."""
    if not isinstance(value, str):
        return value
    return UNSTORABLE_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", value)[:MAX_FREE_TEXT_CHARS]


def _blank_to_none(value: object) -> object:
    """Turn a blank text into None: two players with a blank field share nothing."""
    return None if isinstance(value, str) and not value.strip() else value


def _check_short_or_hashed(text: str) -> str:
    if len(text) > MAX_UNHASHED_CHARS and not HASH_SHAPE.fullmatch(text):
        raise ValueError(f"Must have at most {MAX_UNHASHED_CHARS} characters, or be hashed")
    return text


def _check_not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("Must not be blank")
    return text


Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_check_currency),
    WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)}),
]
MinorUnits = Annotated[int, Field(strict=True, ge=0, le=LARGEST_MINOR)]
PositiveMinorUnits = Annotated[int, Field(strict=True, ge=1, le=LARGEST_MINOR)]
_TIME_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-03-01T12:00:00Z"],
}
PastTime = Annotated[
    datetime,
    BeforeValidator(_parse_time),
    AfterValidator(_check_past),
    WithJsonSchema(_TIME_SCHEMA),
]
PlannedTime = Annotated[
    datetime,
    BeforeValidator(_parse_time),
    AfterValidator(_check_planned),
    WithJsonSchema(_TIME_SCHEMA),
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
NonBlankText = Annotated[_StorableText, Field(min_length=1), AfterValidator(_check_not_blank)]
Text32 = Annotated[NonBlankText, Field(max_length=32)]
Text64 = Annotated[NonBlankText, Field(max_length=64)]
Text320 = Annotated[NonBlankText, Field(max_length=320)]
Reason = Annotated[NonBlankText, Field(max_length=500)]
"""A person's reason for a decision or proposal, for the audit."""
OptionalText64 = Annotated[
    Annotated[_StorableText, Field(max_length=64)] | None, BeforeValidator(_blank_to_none)
]
OptionalText64OrHash = Annotated[
    Annotated[
        _StorableText, Field(max_length=MAX_HASH_CHARS), AfterValidator(_check_short_or_hashed)
    ]
    | None,
    BeforeValidator(_blank_to_none),
]
"""At most 64 characters, or a hash that the caller made (see `domain/privacy`)."""
OptionalText320 = Annotated[
    Annotated[_StorableText, Field(max_length=320)] | None, BeforeValidator(_blank_to_none)
]
FreeText = Annotated[str | None, BeforeValidator(_blank_to_none), BeforeValidator(_truncate)]
"""Text from a person, a browser or an app. It is truncated instead of rejected, because rejecting
it would lose the whole event."""
OptionalText4096 = Annotated[
    Annotated[_StorableText, Field(max_length=4096)] | None, BeforeValidator(_blank_to_none)
]
Id = Annotated[str, StringConstraints(pattern=ID_REGEX)]
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]


class MoneyIn(RequestBody):
    """An amount in whole minor units (such as cents) of one currency."""

    minor: MinorUnits
    currency: Currency

    def to_money(self) -> Money:
        return Money(self.minor, self.currency)


class PositiveMoneyIn(MoneyIn):
    """An amount above zero, in whole minor units of one currency."""

    minor: PositiveMinorUnits


class MoneyOut(ResponseBody):
    """An amount in whole minor units (such as cents) of one currency."""

    minor: int
    currency: str
