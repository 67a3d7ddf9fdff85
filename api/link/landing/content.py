"""What the page of an invitation shows to whom."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlencode, urlsplit

import segno
from markupsafe import Markup

from api.link.landing import preview_image
from api.link.landing.destinations import (
    TokenFor,
    Ways,
    destinations_for,
    destinations_without_token,
)
from api.link.landing.jurisdictions import conceals
from api.link.landing.pages import Landing
from api.link.languages import LANGUAGES, Language
from api.link.offer_texts import invitation, referee_terms
from api.link.page_context import QR_QUERY, Reader
from api.link.user_agents import Platform
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

QUIET_ZONE: Final = 4
"""Light modules around the code, as ISO/IEC 18004 asks for."""


def landing_for_person(
    settings: Settings, offer: Offer, reader: Reader, token_for: TokenFor
) -> Landing:
    """The page of one visitor, whose tokens its ways on carry."""
    ways = destinations_for(
        settings,
        link=referral_link(settings, offer),
        destination=offer.destination,
        platform=reader.platform,
        token_for=token_for,
    )
    concealed = conceals(
        offer.link.no_inducement_in, known=reader.place, claimed=reader.query_jurisdiction
    )
    return _landing(settings, offer, reader, ways, concealed=concealed)


def landing_for_crawler(settings: Settings, offer: Offer, reader: Reader) -> Landing:
    """The page that previews are made of: nobody's invitation, and seen wherever it is shown."""
    ways = destinations_without_token(settings, destination=offer.destination)
    concealed = bool(offer.link.no_inducement_in)
    return _landing(settings, offer, reader, ways, concealed=concealed)


def referral_link(settings: Settings, offer: Offer) -> str:
    return f"{settings.public_url}/r/{offer.code}"


def _landing(
    settings: Settings, offer: Offer, reader: Reader, ways: Ways, *, concealed: bool
) -> Landing:
    language, link = reader.language, referral_link(settings, offer)
    at_desktop = reader.platform is Platform.WEB
    return Landing(
        link=link,
        picture=f"{settings.public_url}{preview_image.PATH}",
        code=offer.code,
        site=(urlsplit(offer.destination).hostname or "").removeprefix("www."),
        platform=reader.platform,
        ways=ways,
        headline=None if concealed else invitation(offer.terms, language),
        terms=() if concealed else referee_terms(offer.terms, language),
        qr_code=qr_code(f"{link}?{urlencode(QR_QUERY)}") if at_desktop else None,
        others=tuple((other, _language_url(other, reader)) for other in LANGUAGES.values()),
    )


@lru_cache(1024)
def qr_code(url: str) -> Markup:
    """SVG without styles or ids, so that it may stand in any page."""
    made = segno.make(url, error="m", micro=False)
    svg = made.svg_inline(border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704 # Segno draws it; nothing of the URL is in it as text.


def _language_url(language: Language, reader: Reader) -> str:
    """The same page in another language, as a URL relative to it."""
    claimed = {"jurisdiction": reader.query_jurisdiction} if reader.query_jurisdiction else {}
    return f"?{urlencode({'lang': language.tag, **claimed})}"
