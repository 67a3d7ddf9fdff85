"""Content of the landing page for a person and for a link preview."""

from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

import segno
from markupsafe import Markup

from api.link.landing.branding import branding_of
from api.link.landing.destinations import (
    Destinations,
    TokenFor,
    destinations_for,
    destinations_without_token,
    referral_link,
)
from api.link.landing.jurisdictions import must_conceal
from api.link.landing.pages import LandingContent
from api.link.landing.preview_image import PREVIEW_IMAGE_PATH
from api.link.languages import LANGUAGES
from api.link.offer_texts import referee_headline, referee_terms
from api.link.page_context import QR_QUERY, PageContext
from api.link.user_agents import Platform
from referrals.campaigns.offers import Offer
from referrals.localisation.languages import Language
from runtime.settings import Settings

QUIET_ZONE_MODULES: Final = 4
"""Light modules around a QR code, as ISO/IEC 18004 requires."""
QR_CODE_CACHE_SIZE: Final = 1024
"""Links whose QR code is cached; drawing one takes milliseconds."""


def landing_for_person(
    settings: Settings, offer: Offer, context: PageContext, token_for: TokenFor
) -> LandingContent:
    """Return the content for one visitor, whose tokens its destinations carry."""
    destinations = destinations_for(
        settings,
        link=referral_link(settings, offer.code),
        destination=offer.destination,
        platform=context.platform,
        token_for=token_for,
    )
    is_concealed = must_conceal(
        offer.link.no_inducement_in,
        trusted=context.trusted_jurisdiction,
        from_query=context.query_jurisdiction,
    )
    return _landing(settings, offer, context, destinations, is_concealed=is_concealed)


def landing_for_crawler(settings: Settings, offer: Offer, context: PageContext) -> LandingContent:
    """Return the content for previews, which belong to no invitation and are shown anywhere."""
    destinations = destinations_without_token(settings, destination=offer.destination)
    is_concealed = bool(offer.link.no_inducement_in)
    return _landing(settings, offer, context, destinations, is_concealed=is_concealed)


def _landing(
    settings: Settings,
    offer: Offer,
    context: PageContext,
    destinations: Destinations,
    *,
    is_concealed: bool,
) -> LandingContent:
    language, link = context.language, referral_link(settings, offer.code)
    is_desktop = context.platform is Platform.WEB
    return LandingContent(
        link=link,
        preview_image_url=f"{settings.public_url}{PREVIEW_IMAGE_PATH}",
        code=offer.code,
        branding=branding_of(offer, context),
        platform=context.platform,
        destinations=destinations,
        headline=None if is_concealed else referee_headline(offer.terms, language),
        terms=() if is_concealed else referee_terms(offer.terms, language),
        qr_code=qr_code(f"{link}?{urlencode(QR_QUERY)}") if is_desktop else None,
        language_links=tuple(
            (other, _language_url(other, context)) for other in LANGUAGES.values()
        ),
    )


@lru_cache(QR_CODE_CACHE_SIZE)
def qr_code(url: str) -> Markup:
    """Draw a link as an SVG without styles or ids, which can stand in any page."""
    drawn = segno.make(url, error="m", micro=False)
    svg = drawn.svg_inline(border=QUIET_ZONE_MODULES, dark="#000", light="#fff", omitsize=True)
    return Markup(svg)  # noqa: S704 # Segno draws it; nothing of the URL is in it as text.


def _language_url(language: Language, context: PageContext) -> str:
    """Return the relative URL of the same page in another language."""
    jurisdiction = context.query_jurisdiction
    kept = {"jurisdiction": jurisdiction} if jurisdiction else {}
    return f"?{urlencode({'lang': language.tag, **kept})}"
