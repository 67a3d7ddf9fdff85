"""Codes, shares and clicks, as the sportsbook's own servers and apps speak of them."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.schemas.fields import (
    Id,
    Line,
    OptionalLine,
    OptionalPassage,
    OptionalPhrase,
    Phrase,
    Shown,
    Slug,
    Strict,
    Word,
)
from db.campaigns import DEFAULT
from domain.codes import SHAPE, is_code, normalised


def _vanity(typed: str) -> str:
    code = normalised(typed)
    if not is_code(code):
        raise ValueError("A code has 3 to 32 letters, digits, hyphens and underscores")
    return code


class CodeIn(Strict):
    """A player asks for the code to share."""

    player_id: Id
    campaign: Slug = DEFAULT
    vanity: Annotated[Line, AfterValidator(_vanity)] | None = Field(
        default=None, description=f"Case-insensitive; {SHAPE.pattern}"
    )


class CodeOut(Shown):
    code: str
    link: str
    player_id: str
    campaign: str


class OfferOut(Shown):
    """What a code offers, in words."""

    code: str
    campaign: str
    active: bool
    headline: str
    terms: str


class ShareIn(Strict):
    """A player shared a code somewhere."""

    code: Line
    channel: Word


class ShareOut(Shown):
    share_id: UUID
    code: str
    channel: str


class Platform(StrEnum):
    WEB = "web"
    IOS = "ios"
    ANDROID = "android"


class ClickIn(Strict):
    """Somebody followed a code, as a server or an app tells it."""

    code: Line
    visitor_id: Phrase
    platform: Platform
    ip: OptionalLine = None
    user_agent: OptionalPassage = None
    device_id: OptionalPhrase = None


class ClickOut(Shown):
    referral_id: UUID
    referral_token: str
    workflow_id: str
