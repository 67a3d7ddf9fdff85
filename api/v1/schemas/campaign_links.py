"""The part of a campaign's body that is about its link: its page, and what the page shows."""

import ipaddress
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from api.http.errors import invalid_field
from api.link.landing.jurisdictions import JURISDICTION_REGEX
from api.v1.schemas.fields import NonBlankText, RequestBody, ResponseBody, TermsVersion
from api.v1.schemas.terms import Jurisdiction
from domain.campaigns.helplines import ELSEWHERE, Helpline
from domain.campaigns.terms import LinkOpens, LinkOptions
from domain.campaigns.terms_texts import TermsText

URL_CHARS: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII without the backslash, which browsers read as a slash."""
HOST: Final = re.compile(r"[a-z0-9._:-]+")
"""Host as `urlsplit` returns it; anything else could not stand in a Content-Security-Policy."""
PHONE_REGEX: Final = r"^\+?[0-9](?:[ ().-]{0,2}[0-9]){1,14}$"
MAX_HELPLINES: Final = 100
TEXT_EXAMPLE: Final = "Gambling problem? Call 1-800-GAMBLER."
PHONE_EXAMPLE: Final = "1-800-426-2537"
MAX_TERMS_TEXTS: Final = 100
TERMS_EXAMPLE: Final = "https://book.example/terms/nj"
URL_EXAMPLE: Final = "https://www.1800gambler.net/"


def _check_url(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise ValueError("Must be a URL") from fault
    if not host or parts.username is not None or not URL_CHARS.fullmatch(address):
        raise ValueError("Must be plain ASCII, with a host and without user information")
    if not HOST.fullmatch(host):
        raise ValueError("Must have a host of letters, digits, dots and hyphens")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("Must be https; http is allowed only for localhost")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


PageUrl = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_check_url)]


Place = Annotated[str, Field(pattern=rf"^\*$|{JURISDICTION_REGEX}")]


class HelplineIn(RequestBody):
    """A responsible-gambling line and its number."""

    jurisdiction: Place = Field(
        default=ELSEWHERE,
        description="ISO 3166 code of its place; `*` for every place without a line of its own",
    )
    text: Annotated[NonBlankText, Field(max_length=200)] = Field(
        description="Sentence before the number, as the regulator words it",
        examples=[TEXT_EXAMPLE],
    )
    phone: Annotated[str, Field(pattern=PHONE_REGEX, max_length=40)] = Field(
        description="Number to dial, in digits", examples=[PHONE_EXAMPLE]
    )
    url: PageUrl | None = Field(
        default=None, description="Page of the line; null for none", examples=[URL_EXAMPLE]
    )

    def to_helpline(self) -> Helpline:
        return Helpline(
            jurisdiction=self.jurisdiction, text=self.text, phone=self.phone, url=self.url
        )


class TermsTextIn(RequestBody):
    """The full terms of the offer in one place."""

    jurisdiction: Place = Field(
        default=ELSEWHERE,
        description="ISO 3166 code of its place; `*` for every place without a text of its own",
    )
    version: TermsVersion = Field(description="Version of the text", examples=["nj-2026-03"])
    url: PageUrl = Field(description="Page of the text", examples=[TERMS_EXAMPLE])


class LinkIn(RequestBody):
    """Behaviour of /r/{code}, and what its pages show beside the offer."""

    opens: LinkOpens = Field(
        default=LinkOpens.DESTINATION,
        description="Whether the link redirects to the destination or shows the landing page",
    )
    no_inducement_in: Annotated[list[Jurisdiction], Field(max_length=200)] = Field(
        default_factory=list,
        description="ISO 3166 jurisdictions in which the offer must not be advertised",
    )
    logo_url: PageUrl | None = Field(
        default=None, description="Image at the top of the pages; null shows the site's name"
    )
    terms_url: PageUrl | None = Field(
        default=None, description="Page with the full terms, to which the pages link"
    )
    helplines: Annotated[list[HelplineIn], Field(max_length=MAX_HELPLINES)] = Field(
        default_factory=list,
        description="Shown to visitors of their jurisdictions; all where the place is unknown",
    )

    terms_texts: Annotated[list[TermsTextIn], Field(max_length=MAX_TERMS_TEXTS)] = Field(
        default_factory=list,
        description="The full terms by place, in place of `terms_url`; the pages link to that of"
        " the visitor's place",
    )

    def to_link_options(self) -> LinkOptions:
        """Return the options, or raise 422 for a place with two texts."""
        places = [text.jurisdiction for text in self.terms_texts]
        for index, place in enumerate(places):
            if place in places[:index]:
                field = f"link.terms_texts[{index}].jurisdiction"
                raise invalid_field(field, "Must have a text for each place once")
        return LinkOptions(
            opens=self.opens,
            no_inducement_in=tuple(sorted(set(self.no_inducement_in))),
            logo_url=self.logo_url,
            terms_url=self.terms_url,
            helplines=tuple(line.to_helpline() for line in self.helplines),
            terms_texts=tuple(
                TermsText(jurisdiction=one.jurisdiction, version=one.version, url=one.url)
                for one in self.terms_texts
            ),
        )


class HelplineOut(ResponseBody):
    """A responsible-gambling line and its number; see `HelplineIn`."""

    jurisdiction: str
    text: str = Field(description="Sentence before the number", examples=[TEXT_EXAMPLE])
    phone: str = Field(description="Number to dial", examples=[PHONE_EXAMPLE])
    url: str | None = Field(description="Page of the line; null for none", examples=[URL_EXAMPLE])


class TermsTextOut(ResponseBody):
    """The full terms of the offer in one place; see `TermsTextIn`."""

    jurisdiction: str = Field(examples=["US-NJ"])
    version: str = Field(description="Version of the text", examples=["nj-2026-03"])
    url: str = Field(description="Page of the text", examples=[TERMS_EXAMPLE])


class LinkOut(ResponseBody):
    """Behaviour of /r/{code}; see `LinkIn`."""

    opens: LinkOpens
    no_inducement_in: list[str]
    logo_url: str | None
    terms_url: str | None
    helplines: list[HelplineOut]
    terms_texts: list[TermsTextOut] = Field(description="The full terms by place")
