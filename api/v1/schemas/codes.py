"""Codes, shares and clicks, as the sportsbook's own servers and apps speak of them."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.link.user_agents import Platform
from api.v1.schemas.fields import (
    Brought,
    Id,
    Line,
    OptionalText64,
    OptionalText64OrHash,
    OptionalText320,
    RequestBody,
    ResponseBody,
    Slug,
    Text320,
    Word,
)
from domain.attribution.matching import normalise_traits
from domain.codes import CODE_SHAPE, is_code, normalise_code
from referrals.campaigns.transitions import DEFAULT_SLUG


def _vanity(typed: str) -> str:
    code = normalise_code(typed)
    if not is_code(code):
        raise ValueError("A code has 3 to 32 letters, digits, hyphens and underscores")
    return code


class CodeIn(RequestBody):
    """A player asks for the code to share."""

    player_id: Id
    campaign: Slug = DEFAULT_SLUG
    vanity: Annotated[Line, AfterValidator(_vanity)] | None = Field(
        default=None, description=f"Case-insensitive; {CODE_SHAPE.pattern}"
    )


class CodeOut(ResponseBody):
    code: str
    link: str
    player_id: str
    campaign: str


class OfferOut(ResponseBody):
    """What a code offers, in words."""

    code: str
    campaign: str
    active: bool
    headline: str
    terms: str
    no_inducement_in: list[str] = Field(
        description="ISO 3166: there, neither headline nor terms may be shown in public"
    )


class ShareIn(RequestBody):
    """A player shared a code somewhere."""

    code: Line
    channel: Word


class ShareOut(ResponseBody):
    share_id: UUID
    code: str
    channel: str


class ClickIn(RequestBody):
    """Somebody followed a code, as a server or an app tells it."""

    code: Line
    visitor_id: Text320
    platform: Platform
    ip: OptionalText64OrHash = None
    user_agent: Brought = None
    device_id: OptionalText320 = None
    device_model: OptionalText320 = Field(default=None, examples=["iPhone15,3", "Pixel 8"])
    os: OptionalText64 = None
    os_version: OptionalText64 = Field(default=None, examples=["18.5"])
    locale: OptionalText320 = Field(default=None, examples=["en-US"])
    time_zone: OptionalText64 = Field(default=None, examples=["America/New_York"])
    screen: OptionalText64 = Field(default=None, examples=["390x844"], description="In points")

    def signals(self) -> dict[str, str]:
        """What tells of the device, as a first open is compared with it later."""
        return normalise_traits(
            os=self.os or (None if self.platform is Platform.WEB else self.platform),
            os_version=self.os_version,
            model=self.device_model,
            locale=self.locale,
            time_zone=self.time_zone,
            screen=self.screen,
        )


class ClickOut(ResponseBody):
    referral_id: UUID
    referral_token: str
    workflow_id: str
