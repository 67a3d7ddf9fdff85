"""User agents: telling persons from bots, and the platform and traits of a device."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from fastapi import Request
from ua_parser import parse, parse_os
from ua_parser.core import OS, UserAgent

from api.link.crawlers import USER_AGENT_CACHE_SIZE, is_crawler
from domain.attribution.click_matching import normalise_traits


class Platform(StrEnum):
    """Platform of a visitor's device."""

    WEB = "web"
    IOS = "ios"
    ANDROID = "android"


MAX_USER_AGENT_CHARS: Final = 512
"""Characters of a user agent that are parsed; real ones are shorter."""
MAX_LOCALE_CHARS: Final = 64
"""Characters of Accept-Language that are a device trait."""
HTTP_TOOLS: Final = re.compile(
    r"(curl|wget|httpie|python|aiohttp|okhttp|go-http-client|java|ruby|axios|node|postman"
    r"|deno|bun|hyper|powershell)\b",
    re.IGNORECASE,
)
"""HTTP clients that read no page: none of them makes link previews."""
SPECULATION_HEADERS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
SPECULATION_TAGS: Final = "sec-speculation-tags"
"""Header that a browser sends with speculative loads alone."""
SPECULATIVE_PURPOSES: Final = ("prefetch", "prerender", "preview")
PLATFORM_BY_OS_FAMILY: Final = {"iOS": Platform.IOS, "Android": Platform.ANDROID}
OS_FROZEN_SINCE_SAFARI: Final = 26
"""First version of Safari that always sends the same iOS version; its own version is right
(nielsleenheer.com/articles/2025/the-user-agent-string-of-safari-on-ios-26-and-macos-26)."""


class Requester(StrEnum):
    PERSON = "person"
    CRAWLER = "crawler"
    """Reads the answer for a search engine or a link preview."""
    REDIRECT_ONLY = "nobody"
    """Wants only the redirect: a HEAD, an HTTP client, a request without a user agent, or another
    site that embeds the link as an image or a frame."""
    SPECULATIVE = "speculative"
    """A browser that loads the link ahead of its person, who may never follow it."""


def requester_of(request: Request) -> Requester:
    agent = user_agent_of(request)
    if _is_speculative(request):
        return Requester.SPECULATIVE
    if request.method == "HEAD" or _is_embedded(request):
        return Requester.REDIRECT_ONLY
    if not agent or HTTP_TOOLS.match(agent):
        return Requester.REDIRECT_ONLY
    return Requester.CRAWLER if is_crawler(agent) else Requester.PERSON


def user_agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")[:MAX_USER_AGENT_CHARS].strip()


@lru_cache(USER_AGENT_CACHE_SIZE)
def platform_of(agent: str) -> Platform:
    """Return IOS or ANDROID by the operating system, and WEB for desktops and unknown ones.

    An iPad that asks for desktop pages sends a Mac's user agent, and counts as WEB.
    """
    system = parse_os(agent)
    return PLATFORM_BY_OS_FAMILY.get(system.family, Platform.WEB) if system else Platform.WEB


def traits_from_headers(*, agent: str | None, accept_language: str | None = None) -> dict[str, str]:
    """Return the device traits that headers reveal, normalised but not hashed."""
    seen = dict(_parse_device(agent[:MAX_USER_AGENT_CHARS])) if agent else {}
    return normalise_traits(**seen, locale=(accept_language or "")[:MAX_LOCALE_CHARS])


def compile_patterns() -> None:
    """Parse one user agent by each library, which compiles its patterns at its first use."""
    platform_of("")
    is_crawler("Mozilla/5.0 with something left when all that is known of browsers is gone")
    _parse_device("")


def _is_speculative(request: Request) -> bool:
    given = [value for name in SPECULATION_HEADERS for value in request.headers.getlist(name)]
    purposes = " ".join(given).lower()
    return SPECULATION_TAGS in request.headers or any(
        purpose in purposes for purpose in SPECULATIVE_PURPOSES
    )


def _is_embedded(request: Request) -> bool:
    """Detect cookie stuffing: another site's page makes its readers' browsers follow a link."""
    fetch_dest = request.headers.get("sec-fetch-dest", "").strip().lower() or "document"
    fetch_site = request.headers.get("sec-fetch-site", "").strip().lower() or "none"
    return fetch_dest != "document" and fetch_site != "same-origin"


@lru_cache(USER_AGENT_CACHE_SIZE)
def _parse_device(agent: str) -> Mapping[str, str]:
    parsed = parse(agent)
    seen = {"model": parsed.device.model if parsed.device else None}
    if parsed.os is not None:
        seen |= {"os": parsed.os.family, "os_version": _os_version(parsed.os, parsed.user_agent)}
    return {name: text for name, text in seen.items() if text}


def _os_version(system: OS, browser: UserAgent | None) -> str | None:
    version: OS | UserAgent = system
    if system.family == "iOS" and browser is not None and browser.family == "Mobile Safari":
        version = browser if int(browser.major or 0) >= OS_FROZEN_SINCE_SAFARI else system
    return version.major and f"{version.major}.{version.minor or 0}"
