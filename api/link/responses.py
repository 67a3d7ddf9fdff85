"""Answers of the link: a redirect to the campaign's site or to Google Play, or a page."""

from typing import Final

from starlette.responses import PlainTextResponse, Response

from api.link.landing.content import landing_for_crawler, landing_for_person
from api.link.landing.destinations import TokenFor, play_url, with_token
from api.link.landing.pages import PRIVATE_HEADERS, landing_page
from api.link.page_context import PageContext
from api.link.user_agents import Platform, Requester
from domain.attribution.policy import Method
from domain.campaigns.terms import LinkOpens
from referrals.campaigns.offers import Offer
from runtime.settings import Settings

PROGRAM_TEXT: Final = (
    "This request counts as a program's, so it made no invitation and has no referral_token.\n"
    "Open the link in a browser, or send a browser's User-Agent (curl -A 'Mozilla/5.0 ...').\n"
)
"""Body of the redirect of curl and the like; browsers show no body of a redirect."""


def person_response(
    settings: Settings, offer: Offer, context: PageContext, token_for: TokenFor
) -> Response:
    if _is_page_needed(settings, offer, context.platform):
        content = landing_for_person(settings, offer, context, token_for)
        return landing_page(content, context.language)
    if context.platform is Platform.ANDROID and settings.android_package:
        token = token_for(Method.INSTALL_REFERRER)
        return _redirect(play_url(package=settings.android_package, token=token))
    return _redirect(with_token(offer.destination, token=token_for(Method.REFERRAL_TOKEN)))


def bot_response(
    settings: Settings, offer: Offer, context: PageContext, requester: Requester
) -> Response:
    if requester is Requester.CRAWLER:
        content = landing_for_crawler(settings, offer, context)
        return landing_page(content, context.language)
    return PlainTextResponse(PROGRAM_TEXT, 302, {**PRIVATE_HEADERS, "Location": offer.destination})


def _is_page_needed(settings: Settings, offer: Offer, platform: Platform) -> bool:
    # On iOS the clipboard carries the token to the app, and writing to it needs a tap on a page.
    needs_tap = platform is Platform.IOS and settings.ios_app_store_url is not None
    return needs_tap or offer.link.opens is LinkOpens.LANDING


def _redirect(url: str) -> Response:
    # Starlette's RedirectResponse would encode some marks of the URL again.
    return Response(None, 302, {**PRIVATE_HEADERS, "Location": url})
