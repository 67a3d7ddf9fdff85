"""What the page of an invitation shows to whom."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from api.link.landing import picture
from api.link.landing.pages import Landing
from api.link.landing.places import conceals
from api.link.landing.qr import qr_code
from api.link.landing.ways import TokenFor, Ways, destinations_for, destinations_without_token
from api.link.languages import LANGUAGES, Language
from api.link.platforms import Platform
from api.link.texts import invitation, referee_terms
from domain.attribution.policy import Method
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

QR_QUERY: Final = {"via": "qr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads a page, in which language and place."""

    language: Language
    platform: Platform
    place: str | None
    """As a trusted proxy tells it."""
    query_jurisdiction: str | None
    """As the link tells it, which can only make the page more careful."""
    followed_via: Method


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
        picture=f"{settings.public_url}{picture.PATH}",
        code=offer.code,
        site=(urlsplit(offer.destination).hostname or "").removeprefix("www."),
        platform=reader.platform,
        ways=ways,
        headline=None if concealed else invitation(offer.terms, language),
        terms=() if concealed else referee_terms(offer.terms, language),
        qr_code=qr_code(f"{link}?{urlencode(QR_QUERY)}") if at_desktop else None,
        others=tuple((other, _language_url(other, reader)) for other in LANGUAGES.values()),
    )


def _language_url(language: Language, reader: Reader) -> str:
    """The same page in another language, as a URL relative to it."""
    claimed = {"jurisdiction": reader.query_jurisdiction} if reader.query_jurisdiction else {}
    return f"?{urlencode({'lang': language.tag, **claimed})}"
