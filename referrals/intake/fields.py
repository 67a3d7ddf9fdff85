"""Field types of events and of other requests, each with its bounds."""

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import pycountry
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationInfo,
)
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.intake.facts import CLOCK_SKEW, ID_PATTERN, MIN_TIME, UNSTORABLE_CHARACTERS
from domain.intake.free_texts import cut_to_storable
from domain.intake.times import RFC_3339, read_time
from domain.money import LARGEST_MINOR, Money
from domain.privacy import HASH_SHAPE

MAX_UNHASHED_CHARS: Final = 64
"""Bounds a personal value that the caller sends as it is."""
MAX_HASH_CHARS: Final = 68
"""Bounds a personal value that the caller has hashed already: the prefix and 64 hex digits."""
MAX_LEAD: Final = timedelta(days=1)
"""Bounds how far ahead of our clock an event is worth repeating: further ahead it is garbage."""
TOO_EARLY: Final = "too_early"
"""Type of the error for an event that is ahead of our clock, and right when it is repeated."""
NOW: Final = "now"
"""Key, in the context of a validation, of the clock that events are compared with, if not ours."""
_NOT_PAST: Final = "Must lie between the year 2000 and five minutes from now"
WITHOUT_MINOR_UNITS: Final = frozenset(
    ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"]
)
"""Codes of ISO 4217 that no account is held in: metals, funds, one for tests and one for none."""
CURRENCIES: Final = (
    frozenset(currency.alpha_3 for currency in pycountry.currencies) - WITHOUT_MINOR_UNITS
)
ID_REGEX: Final = f"^{ID_PATTERN.pattern}$"


class RequestBody(BaseModel):
    """Base of request bodies: unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _check_currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("Must be an ISO 4217 currency code")
    return text


def parse_time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("Must be an RFC 3339 time with an offset, such as 2026-03-01T12:00:00Z")
    try:
        return read_time(value)
    except ValueError as fault:
        raise ValueError("This date or time does not exist") from fault


def _check_event_time(moment: datetime, info: ValidationInfo) -> datetime:
    now = (info.context or {}).get(NOW) or datetime.now(UTC)
    if MIN_TIME <= moment <= now + CLOCK_SKEW:
        return moment
    ahead = moment - now
    if CLOCK_SKEW < ahead < MAX_LEAD:
        context = {"retry_after_s": math.ceil((ahead - CLOCK_SKEW).total_seconds())}
        raise PydanticCustomError(TOO_EARLY, _NOT_PAST, context)
    raise ValueError(_NOT_PAST)


def _check_storable(text: str) -> str:
    if UNSTORABLE_CHARACTERS.search(text):
        raise ValueError("Must not contain NUL or unpaired surrogates")
    return text


def _truncate(value: object) -> object:
    return cut_to_storable(value) if isinstance(value, str) else value


def blank_to_none(value: object) -> object:
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
TIME_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-03-01T12:00:00Z"],
}
EventTime = Annotated[
    datetime,
    BeforeValidator(parse_time),
    AfterValidator(_check_event_time),
    WithJsonSchema(TIME_SCHEMA),
]
"""A time from the year 2000 to CLOCK_SKEW from now; up to a day ahead its error is TOO_EARLY, with
`retry_after_s`, since the same body is right in a moment."""
StorableText = Annotated[str, AfterValidator(_check_storable)]
NonBlankText = Annotated[StorableText, Field(min_length=1), AfterValidator(_check_not_blank)]
Text32 = Annotated[NonBlankText, Field(max_length=32)]
Text64 = Annotated[NonBlankText, Field(max_length=64)]
Text320 = Annotated[NonBlankText, Field(max_length=320)]
OptionalText64 = Annotated[
    Annotated[StorableText, Field(max_length=64)] | None, BeforeValidator(blank_to_none)
]
OptionalText64OrHash = Annotated[
    Annotated[
        StorableText, Field(max_length=MAX_HASH_CHARS), AfterValidator(_check_short_or_hashed)
    ]
    | None,
    BeforeValidator(blank_to_none),
]
"""At most 64 characters, or a hash that the caller made (see `domain/privacy`)."""
AddressText = Annotated[str | None, BeforeValidator(blank_to_none), BeforeValidator(_truncate)]
"""An IP address as a proxy wrote it. No address is worth losing an event for: what is too long is
cut, and what is none is only stored as a hash."""
OptionalText320 = Annotated[
    Annotated[StorableText, Field(max_length=320)] | None, BeforeValidator(blank_to_none)
]
Consent = Annotated[
    StrictBool | None,
    Field(
        description="Whether the person lets traits of device and network be kept; false drops"
        " them from this call. Left out, it is the caller's to have asked"
    ),
]
FreeText = Annotated[str | None, BeforeValidator(blank_to_none), BeforeValidator(_truncate)]
"""Text from a person, a browser or an app. It is truncated instead of rejected, because rejecting
it would lose the whole event."""
Id = Annotated[str, StringConstraints(pattern=ID_REGEX)]


class MoneyIn(RequestBody):
    """An amount in whole minor units (such as cents) of one currency."""

    minor: MinorUnits
    currency: Currency

    def to_money(self) -> Money:
        return Money(self.minor, self.currency)


class PositiveMoneyIn(MoneyIn):
    """An amount above zero, in whole minor units of one currency."""

    minor: PositiveMinorUnits
