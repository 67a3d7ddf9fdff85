"""Where an open link leads: to the campaign's site, a store, or the page of the invitation."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from api.link.landing.content import landing_for_crawler, landing_for_person
from api.link.landing.destinations import TokenFor, play_url, with_token
from api.link.landing.pages import closed_page, landing_page
from api.link.page_context import Reader
from api.link.user_agents import Platform, Requester
from domain.attribution.policy import Method
from domain.campaigns.terms import LinkOpens
from referrals.attribution.clicks.follow import Outcome
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def person_response(
    settings: Settings, offer: Offer, reader: Reader, token_for: TokenFor
) -> Response:
    if _is_page_needed(settings, offer, reader.platform):
        landing = landing_for_person(settings, offer, reader, token_for)
        return landing_page(landing, reader.language)
    if reader.platform is Platform.ANDROID and settings.android_package:
        store = play_url(settings.android_package, token_for(Method.INSTALL_REFERRER))
        return RedirectResponse(store, 302, HEADERS)
    onward = with_token(offer.destination, token_for(Method.REFERRAL_TOKEN))
    return RedirectResponse(onward, 302, HEADERS)


def bot_response(
    settings: Settings, found: Offer | Outcome, reader: Reader, requester: Requester
) -> Response:
    if isinstance(found, Outcome):
        return closed_page(found, reader.language)
    if requester is Requester.CRAWLER:
        return landing_page(landing_for_crawler(settings, found, reader), reader.language)
    return RedirectResponse(found.destination, 302, HEADERS)


def _is_page_needed(settings: Settings, offer: Offer, platform: Platform) -> bool:
    """An iPhone's clipboard, which carries the token to the app, needs a tap on a page."""
    needs_tap = platform is Platform.IOS and settings.ios_app_store_url is not None
    return needs_tap or offer.link.opens is LinkOpens.LANDING
