"""Field types shared by request and response bodies, each with its bounds.

Those of events are in `referrals/intake/fields`, below every door.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.json_schema import WithJsonSchema

from domain.field_shapes import has_shape
from domain.intake.facts import MAX_TIME, MIN_TIME
from domain.intake.sources import shown_event_id
from referrals.intake.contacts import has_contacts, mask_contacts, mask_reason
from referrals.intake.fields import (
    ID_REGEX,
    TIME_SCHEMA,
    AddressText,
    Consent,
    Currency,
    EventTime,
    FreeText,
    Id,
    MoneyIn,
    NonBlankText,
    OptionalText64,
    OptionalText64OrHash,
    OptionalText320,
    PositiveMoneyIn,
    RequestBody,
    StorableText,
    Text32,
    Text64,
    Text320,
    blank_to_none,
    parse_time,
)

__all__ = [
    "DURATION",
    "ID_REGEX",
    "MAX_DURATION",
    "MAX_SEGMENTS",
    "SLUG_PATTERN",
    "AddressText",
    "Consent",
    "Currency",
    "Duration",
    "EventTime",
    "FreeText",
    "Id",
    "MoneyIn",
    "MoneyOut",
    "NonBlankText",
    "Note",
    "OptionalText64",
    "OptionalText64OrHash",
    "OptionalText320",
    "OptionalText4096",
    "PlannedTime",
    "PositiveDuration",
    "PositiveMoneyIn",
    "Reason",
    "Reference",
    "RequestBody",
    "ResponseBody",
    "Segment",
    "ShownEventId",
    "Slug",
    "TermsVersion",
    "Text32",
    "Text64",
    "Text320",
    "VersionRead",
]

MAX_DURATION: Final = timedelta(days=3660)
"""Bounds every window of a campaign: about ten years."""
DURATION: Final = re.compile(
    r"P(?=[\dT])(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
SLUG_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"


class ResponseBody(BaseModel):
    """Base of response bodies, built from the attributes of a view dataclass."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


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


def _check_reference(text: str) -> str:
    if has_contacts(text):
        raise ValueError("Must not contain a phone number or mail address; use an id")
    return text


PlannedTime = Annotated[
    datetime,
    BeforeValidator(parse_time),
    AfterValidator(_check_planned),
    WithJsonSchema(TIME_SCHEMA),
]
_DURATION_SCHEMA: Final = {"type": "string", "format": "duration", "examples": ["P30D", "PT5S"]}
Duration = Annotated[timedelta, BeforeValidator(_parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    AfterValidator(_check_positive),
    WithJsonSchema(_DURATION_SCHEMA),
]
Reason = Annotated[NonBlankText, Field(max_length=500), AfterValidator(mask_reason)]
"""A person's reason for a decision or proposal, for the audit, in which phone numbers and mail
addresses are masked."""
VersionRead = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{32}$"),
    Field(
        description="Version of what was read and is decided; without it, whatever stands by now",
        examples=["3f2a9c0d5b7e41868f0a1c2d3e4f5061"],
    ),
]
Note = Annotated[NonBlankText, Field(max_length=2000), AfterValidator(mask_contacts)]
MAX_SEGMENTS: Final = 50
"""Segments of one player, and of one campaign's audience on either side."""
Segment = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$", examples=["vip"])]
"""A caller's name for a part of its players."""


def _check_terms_version(text: str) -> str:
    if not has_shape("accepted_terms", text):
        raise ValueError("Must be a word in small letters, a version or a day, such as nj-2026-03")
    return text


TermsVersion = Annotated[
    str, AfterValidator(_check_terms_version), Field(max_length=64, examples=["nj-2026-03"])
]
"""Name of a version of an offer's full terms."""
Reference = Annotated[Text64, AfterValidator(_check_reference)]
"""A caller's id of an act; not masked, since two masked ones would be one."""
OptionalText4096 = Annotated[
    Annotated[StorableText, Field(max_length=4096)] | None, BeforeValidator(blank_to_none)
]
ShownEventId = Annotated[str, BeforeValidator(shown_event_id)]
"""Id of an event as its reporter gave it, without the source."""
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]


class MoneyOut(ResponseBody):
    """An amount in whole minor units (such as cents) of one currency."""

    minor: int
    currency: str
