"""The ways on from a link: the campaign's site, the stores, the installed app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from api.link.user_agents import Platform
from domain.attribution.policy import Method
from runtime.settings import Settings

TOKEN: Final = "referral_token"
PLAY: Final = "https://play.google.com/store/apps/details"

TokenFor = Callable[[Method], str]
"""Issues the token of one invitation, marked with how it is carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """URLs; None where a deployment has no such app, or the visitor no use for it."""

    web: str
    app_store: str | None
    play: str | None
    app: str | None = None
    """Opens the installed app on Android, or else Google Play."""
    copied: str | None = None
    """What an iPhone's clipboard carries to the app: this link, with a token."""


def destinations_for(
    settings: Settings, *, link: str, destination: str, platform: Platform, token_for: TokenFor
) -> Ways:
    """The ways of a person; only those of the visitor's own platform carry tokens past it."""
    package = settings.android_package
    play = package and play_url(package, token_for(Method.INSTALL_REFERRER))
    app = copied = None
    if package and play and platform is Platform.ANDROID:
        opened = with_token(link, token_for(Method.UNIVERSAL_LINK))
        app = intent_url(opened, package=package, otherwise=play)
    if settings.ios_app_store_url and platform is Platform.IOS:
        copied = with_token(link, token_for(Method.CLIPBOARD))
    return Ways(
        web=with_token(destination, token_for(Method.REFERRAL_TOKEN)),
        app_store=settings.ios_app_store_url,
        play=play,
        app=app,
        copied=copied,
    )


def destinations_without_token(settings: Settings, *, destination: str) -> Ways:
    """The ways of a program, which are nobody's invitation."""
    package = settings.android_package
    play = package and f"{PLAY}?{urlencode({'id': package})}"
    return Ways(web=destination, app_store=settings.ios_app_store_url, play=play)


def with_token(url: str, token: str) -> str:
    """The URL with the token among the other parameters of its query."""
    parts = urlsplit(url)
    others = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != TOKEN]
    return urlunsplit(parts._replace(query=urlencode([*others, (TOKEN, token)])))


def play_url(package: str, token: str) -> str:
    """Google Play hands `referrer` to the app as its Install Referrer."""
    return f"{PLAY}?{urlencode({'id': package, 'referrer': f'{TOKEN}={token}'})}"


def intent_url(link: str, *, package: str, otherwise: str) -> str:
    """Chrome's `intent:` URL, because a link to its own site would stay in the browser."""
    scheme, _, rest = link.partition("://")
    fallback = quote(otherwise, safe="")
    return (
        f"intent://{rest}#Intent;scheme={scheme};package={package};"
        f"S.browser_fallback_url={fallback};end"
    )
