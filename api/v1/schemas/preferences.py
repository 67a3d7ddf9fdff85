"""Bodies of a player's preferences about notifications."""

from datetime import time
from typing import Annotated, Final
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StrictBool, model_validator
from pydantic.json_schema import WithJsonSchema

from api.v1.schemas.fields import RequestBody, ResponseBody, Text64
from domain.notifications.quiet_hours import QuietHours
from referrals.notifications.languages import parse_locale, tag_of
from referrals.notifications.preferences import PreferenceChanges, PreferencesView

CLOCK_REGEX: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
NOT_A_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Names that are in databases of time zones and mean no zone."""
ZONES: Final = frozenset(available_timezones() - NOT_A_PLACE)


def _check_locale(text: str) -> str:
    locale = parse_locale(text)
    if locale is None:
        raise ValueError("Must be a locale of the CLDR, such as de-AT")
    return tag_of(locale)


def _check_zone(text: str) -> str:
    if text not in ZONES:
        raise ValueError("Must be an IANA time zone, such as Europe/Vienna")
    return text


LocaleTag = Annotated[
    Text64,
    AfterValidator(_check_locale),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 64, "examples": ["de-AT"]}),
]
ZoneName = Annotated[
    Text64,
    AfterValidator(_check_zone),
    WithJsonSchema({"type": "string", "examples": ["Europe/Vienna"], "maxLength": 64}),
]
Clock = Annotated[str, Field(pattern=CLOCK_REGEX, examples=["22:00"])]


class QuietHoursIn(RequestBody):
    """A part of the day in which nothing is sent; over midnight where `to` is before `from`."""

    from_: Clock = Field(alias="from", description="Local time, 24 hours")
    to: Clock = Field(description="Local time, 24 hours; not in the quiet hours itself")

    @model_validator(mode="after")
    def _check_length(self) -> "QuietHoursIn":
        if self.from_ == self.to:
            raise ValueError("Must begin and end at different times")
        return self


class PreferencesIn(RequestBody):
    """Changes of a player's preferences. Fields left out stay; null is the default again."""

    locale: LocaleTag | None = Field(
        default=None, description="Language and formats; the signup's locale, then English"
    )
    time_zone: ZoneName | None = Field(
        default=None, description="Zone of quiet hours and dates; UTC by default"
    )
    notifications: StrictBool = Field(
        default=True, description="Whether the player wants messages at all"
    )
    quiet_hours: QuietHoursIn | None = Field(default=None, description="None by default")

    def to_changes(self) -> PreferenceChanges:
        """Return the columns of those fields that the body has."""
        given, hours = self.model_fields_set, self.quiet_hours
        changes: PreferenceChanges = {}
        if "locale" in given:
            changes["locale"] = self.locale
        if "time_zone" in given:
            changes["time_zone"] = self.time_zone
        if "notifications" in given:
            changes["wants_messages"] = self.notifications
        if "quiet_hours" in given:
            changes["quiet_from"] = time.fromisoformat(hours.from_) if hours else None
            changes["quiet_to"] = time.fromisoformat(hours.to) if hours else None
        return changes


class QuietHoursOut(ResponseBody):
    """A part of the day in which nothing is sent; see `QuietHoursIn`."""

    from_: str = Field(serialization_alias="from")
    to: str


class PreferencesOut(ResponseBody):
    """A player's preferences about notifications; null is the default."""

    player_id: str
    locale: str | None
    time_zone: str | None
    notifications: bool
    quiet_hours: QuietHoursOut | None

    @classmethod
    def of(cls, view: PreferencesView) -> "PreferencesOut":
        return cls(
            player_id=view.player_id,
            locale=view.locale,
            time_zone=view.time_zone,
            notifications=view.wants_messages,
            quiet_hours=_quiet_hours_out(view.quiet_hours),
        )


def _quiet_hours_out(hours: QuietHours | None) -> QuietHoursOut | None:
    if hours is None:
        return None
    return QuietHoursOut(from_=f"{hours.start:%H:%M}", to=f"{hours.end:%H:%M}")
