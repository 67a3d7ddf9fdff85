"""Destinations of a link: the campaign's site, the app stores and the installed app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_plus, urlencode

from api.link.user_agents import Platform
from domain.attribution.policy import Method
from runtime.settings import Settings

TOKEN_PARAMETER: Final = "referral_token"
"""Name of the token in queries, in Google Play's referrer and as a cookie."""
PLAY_STORE_URL: Final = "https://play.google.com/store/apps/details"

TokenFor = Callable[[Method], str]
"""Issues a token of one invitation, marked with the method that carries it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """URLs; None where a deployment has no such app, or the visitor cannot use it."""

    web: str
    app_store: str | None
    play: str | None
    app_intent_url: str | None = None
    """Opens the installed app on Android, or else Google Play."""
    clipboard_link: str | None = None
    """Link with a token, which an iPhone's clipboard carries to the app."""


def referral_link(settings: Settings, code: str) -> str:
    return f"{settings.public_url}/r/{code}"


def destinations_for(
    settings: Settings, *, link: str, destination: str, platform: Platform, token_for: TokenFor
) -> Destinations:
    """Return a person's destinations, which carry tokens.

    The intent URL is for Android alone, the clipboard link for iOS alone.
    """
    package = settings.android_package
    play = package and play_url(package=package, token=token_for(Method.INSTALL_REFERRER))
    app_intent_url = clipboard_link = None
    if package and play and platform is Platform.ANDROID:
        app_link = with_token(link, token=token_for(Method.UNIVERSAL_LINK))
        app_intent_url = intent_url(app_link, package=package, fallback_url=play)
    if settings.ios_app_store_url and platform is Platform.IOS:
        clipboard_link = with_token(link, token=token_for(Method.CLIPBOARD))
    return Destinations(
        web=with_token(destination, token=token_for(Method.REFERRAL_TOKEN)),
        app_store=settings.ios_app_store_url,
        play=play,
        app_intent_url=app_intent_url,
        clipboard_link=clipboard_link,
    )


def destinations_without_token(settings: Settings, *, destination: str) -> Destinations:
    """Return a crawler's destinations, which belong to no invitation."""
    package = settings.android_package
    play = package and f"{PLAY_STORE_URL}?{urlencode({'id': package})}"
    return Destinations(web=destination, app_store=settings.ios_app_store_url, play=play)


def with_token(url: str, *, token: str) -> str:
    """Return the URL, byte for byte, with the token in its query in place of any other token."""
    rest, hash_sign, fragment = url.partition("#")
    address, _, query = rest.partition("?")
    others = [pair for pair in query.split("&") if not _is_token_pair(pair)] if query else []
    query = "&".join([*others, f"{TOKEN_PARAMETER}={quote(token, safe='')}"])
    return f"{address}?{query}{hash_sign}{fragment}"


def _is_token_pair(pair: str) -> bool:
    return unquote_plus(pair.partition("=")[0]) == TOKEN_PARAMETER


def play_url(*, package: str, token: str) -> str:
    """Return the app's page at Google Play, which passes `referrer` on as the Install Referrer."""
    query = urlencode({"id": package, "referrer": f"{TOKEN_PARAMETER}={token}"})
    return f"{PLAY_STORE_URL}?{query}"


def intent_url(link: str, *, package: str, fallback_url: str) -> str:
    """Return an `intent:` URL, since Chrome would open a link to the page's own site itself."""
    scheme, _, rest = link.partition("://")
    fallback = quote(fallback_url, safe="")
    return (
        f"intent://{rest}#Intent;scheme={scheme};package={package};"
        f"S.browser_fallback_url={fallback};end"
    )
