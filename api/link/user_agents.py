"""Who asks for a link: a person or a program, and on which kind of device."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped] # it has no types
from fastapi import Request
from ua_parser import parse, parse_os
from ua_parser.core import OS, UserAgent

from domain.attribution.matching import normalise_traits


class Platform(StrEnum):
    """What a visitor's device runs."""

    WEB = "web"
    IOS = "ios"
    ANDROID = "android"


LONGEST_AGENT: Final = 512
MOST_REMEMBERED: Final = 4096
"""Agents of which the answer is kept; there are far fewer of them than visitors."""
# It compiles some thousand patterns, so there is one.
CRAWLER_DETECTOR: Final = CrawlerDetect()
HTTP_TOOLS: Final = re.compile(
    r"(curl|wget|httpie|python|aiohttp|okhttp|go-http-client|java|ruby|axios|node|postman"
    r"|deno|bun|hyper|powershell)\b",
    re.IGNORECASE,
)
"""Programs that call an address and read no page: previews are made by others."""
BROWSER: Final = re.compile(r"Mozilla/5\.0 \((?:iPhone|iPad|Linux|Android|Macintosh|Windows|X11)")
IN_APP_BROWSER_NAMES: Final = re.compile(
    r" (?:whatsapp\w*|slack|outlook-\w+|yandex\.mail|feedly|oddschecker|\w*reader)/\S+",
    re.IGNORECASE,
)
"""What an app adds to its browser's name, where people read; alone they are previews."""
UNLISTED_CRAWLERS: Final = re.compile(
    # An address to complain to; what is compatible and no old browser; calls that apps make
    # without a browser, for instance to draw a preview.
    r"\+(?:https?:|mailto:)|\(compatible; (?!MSIE|Konqueror)|\bCFNetwork/|^Dalvik/"
    r"|^(?:viber|trello|tumblr)/|GoogleImageProxy|WindowsPowerShell",
    re.IGNORECASE,
)
"""Programs that the list of crawlers does not know."""
LONG_WORD_HEADS: Final = re.compile(r"[\w-]+(?=[\w-]{48})")
"""All but the end of them: the detector's time grows with the square of a word's length."""
PREFETCH_HEADERS: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
PLATFORM_BY_OS_FAMILY: Final = {"iOS": Platform.IOS, "Android": Platform.ANDROID}
MAX_LOCALE_CHARS: Final = 64
OS_FROZEN_SINCE_SAFARI: Final = 26
"""Since then Safari names its own version truly, and always the same one of iOS
(nielsleenheer.com/articles/2025/the-user-agent-string-of-safari-on-ios-26-and-macos-26)."""


class Requester(StrEnum):
    PERSON = "person"
    CRAWLER = "crawler"
    """Reads the answer for a search engine or a link preview."""
    NOBODY = "nobody"
    """Only the way is asked for: a HEAD, a prefetching browser, a tool, one without a name; or
    another site that shows the link as a picture or a frame to whoever looks at it."""


def requester_of(request: Request) -> Requester:
    agent = user_agent_of(request)
    if request.method == "HEAD" or _is_prefetched(request) or _is_embedded(request):
        return Requester.NOBODY
    if not agent or HTTP_TOOLS.match(agent):
        return Requester.NOBODY
    return Requester.CRAWLER if _is_crawler(agent) else Requester.PERSON


def user_agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")[:LONGEST_AGENT].strip()


@lru_cache(MOST_REMEMBERED)
def platform_of(agent: str) -> Platform:
    """IOS or ANDROID by the agent's operating system; WEB for desktops and the unknown.

    An iPad that asks for desktop pages calls itself a Mac, and is taken for one.
    """
    system = parse_os(agent)
    return PLATFORM_BY_OS_FAMILY.get(system.family, Platform.WEB) if system else Platform.WEB


def traits_from_headers(*, agent: str | None, accept_language: str | None = None) -> dict[str, str]:
    """The signals of `domain.matching.normalise_traits`, as far as they can be seen, in words."""
    seen = dict(_parse_device(agent[:LONGEST_AGENT])) if agent else {}
    return normalise_traits(**seen, locale=(accept_language or "")[:MAX_LOCALE_CHARS])


def _is_prefetched(request: Request) -> bool:
    purposes = " ".join(request.headers.get(name, "") for name in PREFETCH_HEADERS).lower()
    return "prefetch" in purposes or "preview" in purposes


def _is_embedded(request: Request) -> bool:
    """Cookie stuffing: a page of somebody else's that makes its readers' browsers follow a link."""
    wanted = request.headers.get("sec-fetch-dest", "document")
    asking = request.headers.get("sec-fetch-site", "none")
    return wanted != "document" and asking != "same-origin"


@lru_cache(MOST_REMEMBERED)
def _is_crawler(agent: str) -> bool:
    if BROWSER.match(agent):
        agent = IN_APP_BROWSER_NAMES.sub("", agent)
    agent = LONG_WORD_HEADS.sub("", agent)
    return UNLISTED_CRAWLERS.search(agent) is not None or bool(CRAWLER_DETECTOR.is_crawler(agent))


@lru_cache(MOST_REMEMBERED)
def _parse_device(agent: str) -> Mapping[str, str]:
    found = parse(agent)
    seen = {"model": found.device.model if found.device else None}
    if found.os is not None:
        seen |= {"os": found.os.family, "os_version": _version(found.os, found.user_agent)}
    return {name: text for name, text in seen.items() if text}


def _version(system: OS, browser: UserAgent | None) -> str | None:
    told: OS | UserAgent = system
    if system.family == "iOS" and browser is not None and browser.family == "Mobile Safari":
        told = browser if int(browser.major or 0) >= OS_FROZEN_SINCE_SAFARI else system
    return told.major and f"{told.major}.{told.minor or 0}"


# All compile their patterns when first asked, which should not be in a visitor's time.
platform_of("")
_is_crawler("An agent of which something is left when all that is known of browsers is gone")
_parse_device("")
