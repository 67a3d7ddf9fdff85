"""Bodies of /v1/codes, /v1/shares and /v1/clicks."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.link.user_agents import Platform, traits_from_headers
from api.v1.schemas.campaign_links import TermsTextOut
from api.v1.schemas.fields import (
    MAX_SEGMENTS,
    AddressText,
    Consent,
    FreeText,
    Id,
    OptionalText64,
    OptionalText320,
    RequestBody,
    ResponseBody,
    Segment,
    Slug,
    TermsVersion,
    Text32,
    Text64,
    Text320,
)
from api.v1.schemas.terms import Jurisdiction
from domain.attribution.click_matching import normalise_traits
from domain.campaigns import default_offer
from domain.codes import CODE_SHAPE, is_code, normalise_code
from domain.field_shapes import is_digits_of_a_phone
from domain.profanities import is_profane
from referrals.campaigns.codes import Acceptance


def _normalise_vanity(typed: str) -> str:
    code = normalise_code(typed)
    if not is_code(code):
        raise ValueError("Must have 3 to 32 letters, digits, hyphens or underscores")
    if is_digits_of_a_phone(code):
        raise ValueError("Must not be digits that may be a phone number; choose another code")
    if is_profane(code):
        raise ValueError("Must not spell a profanity; choose another code")
    return code


class CodeIn(RequestBody):
    """A request for the code that a player shares."""

    player_id: Id
    campaign: Slug = default_offer.SLUG
    vanity: Annotated[Text64, AfterValidator(_normalise_vanity)] | None = Field(
        default=None,
        description=f"A code of the player's choice. Case-insensitive; {CODE_SHAPE.pattern}",
    )
    segments: Annotated[list[Segment], Field(max_length=MAX_SEGMENTS)] = Field(
        default_factory=list,
        description="The player's segments, which the campaign's audience is compared with; they"
        " are not stored",
        examples=[["vip"]],
    )
    accepted_terms: TermsVersion | None = Field(
        default=None,
        description="The version of the offer's terms that the player was shown and accepted",
        examples=["nj-2026-03"],
    )
    jurisdiction: Jurisdiction | None = Field(
        default=None,
        description="Where the player accepted them; null where it is unknown",
        examples=["US-NJ"],
    )

    def acceptance(self) -> Acceptance | None:
        if self.accepted_terms is None:
            return None
        return Acceptance(self.accepted_terms, self.jurisdiction)


class CodeOut(ResponseBody):
    """A player's code in one campaign, and the link to share."""

    code: str
    link: str
    player_id: str
    campaign: str


class OfferOut(ResponseBody):
    """The offer behind a code, in sentences to show."""

    code: str
    campaign: str
    active: bool = Field(description="Whether the code takes invitations now")
    headline: str
    terms: str
    terms_texts: list[TermsTextOut] = Field(
        description="The full terms to show in each place, with the version to report as accepted"
    )
    no_inducement_in: list[str] = Field(
        description="ISO 3166 jurisdictions in which headline and terms must not be shown publicly"
    )


class ShareIn(RequestBody):
    """A player shared a code."""

    code: Text320 = Field(description="The code, or its link")
    channel: Text32 = Field(description="Such as `whatsapp` or `email`")


class ShareOut(ResponseBody):
    """A recorded share."""

    share_id: UUID
    code: str
    channel: str


class ClickIn(RequestBody):
    """A visit through a code that a server or an app reports.

    `ip`, `user_agent`, `device_id` and the device fields are stored only as keyed hashes. They may
    later match an app's first open on the same device.
    """

    code: Text320 = Field(description="The code, or its link")
    visitor_id: Text320 = Field(
        description="The reporter's id of the visitor; one open invitation per visitor and code"
    )
    platform: Platform
    ip: AddressText = Field(
        default=None, description="The visitor's address, not that of the reporting server"
    )
    user_agent: FreeText = None
    device_id: OptionalText320 = None
    device_model: OptionalText320 = Field(default=None, examples=["iPhone15,3", "Pixel 8"])
    os: OptionalText64 = None
    os_version: OptionalText64 = Field(default=None, examples=["18.5"])
    locale: OptionalText320 = Field(default=None, examples=["en-US"])
    time_zone: OptionalText64 = Field(default=None, examples=["America/New_York"])
    screen: OptionalText64 = Field(
        default=None, examples=["390x844"], description="Width x height, in points"
    )
    consent: Consent = None

    def personal(self) -> dict[str, str | None]:
        """Return what is kept of the device and its network, as reported."""
        names = () if self.consent is False else ("ip", "user_agent", "device_id")
        return {name: getattr(self, name) for name in names}

    def device_traits(self) -> dict[str, str]:
        """Return the normalised device traits, for comparison with a later first open."""
        if self.consent is False:
            return {}
        return traits_from_headers(agent=self.user_agent) | normalise_traits(
            os=self.os or (None if self.platform is Platform.WEB else self.platform),
            os_version=self.os_version,
            model=self.device_model,
            locale=self.locale,
            time_zone=self.time_zone,
            screen=self.screen,
        )


class ClickOut(ResponseBody):
    """The visitor's open invitation."""

    referral_id: UUID
    referral_token: str = Field(
        description="Send it in the signup event; it expires with the campaign's signup window"
    )
    workflow_id: str = Field(description="The Temporal workflow of this referral")
