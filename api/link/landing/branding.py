"""Branding of a link's pages, beside the offer: logo, terms and helplines of the campaign."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from api.link.page_context import PageContext
from domain.campaigns.helplines import Helpline, helplines_for
from domain.campaigns.terms_texts import text_for
from referrals.campaigns.offers import Offer

NOT_DIALLED: Final = re.compile(r"[^+0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """Site, logo, terms and helplines at the top and the bottom of a page."""

    site: str
    logo_url: str | None
    terms_url: str | None
    helplines: tuple[Helpline, ...]

    @property
    def image_source(self) -> str | None:
        """Source of the logo, for a Content-Security-Policy."""
        if self.logo_url is None:
            return None
        parts = urlsplit(self.logo_url)
        return f"{parts.scheme}://{parts.netloc}"


def branding_of(offer: Offer, context: PageContext) -> Branding:
    """Return the branding of an offer, with the helplines of the visitor's place.

    The place in the query counts only where no trusted proxy reports one.
    """
    place = context.trusted_jurisdiction or context.query_jurisdiction
    text = text_for(offer.link.terms_texts, place)
    return Branding(
        site=(urlsplit(offer.destination).hostname or "").removeprefix("www."),
        logo_url=offer.link.logo_url,
        terms_url=text.url if text else offer.link.terms_url,
        helplines=helplines_for(offer.link.helplines, place),
    )


def tel_url(phone: str) -> str:
    return f"tel:{NOT_DIALLED.sub('', phone)}"
