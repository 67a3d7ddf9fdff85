"""Who asks for a link: a person or a program, and on which kind of device."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped] # it has no types
from fastapi import Request
from ua_parser import parse_os

from api.schemas.codes import Platform

LONGEST_AGENT: Final = 512
MOST_REMEMBERED: Final = 4096
"""Agents of which the answer is kept; there are far fewer of them than visitors."""
# It compiles some thousand patterns, so there is one.
DETECTOR: Final = CrawlerDetect()
TOOLS: Final = re.compile(
    r"(curl|wget|httpie|python|aiohttp|okhttp|go-http-client|java|ruby|axios|node|postman)\b",
    re.IGNORECASE,
)
"""Programs that call an address and read no page: previews are made by others."""
FAMILIES: Final = {"iOS": Platform.IOS, "Android": Platform.ANDROID}


class Asker(StrEnum):
    PERSON = "person"
    CRAWLER = "crawler"
    """Reads the answer for a search engine or a link preview."""
    NOBODY = "nobody"
    """Only the way is asked for: a HEAD, a prefetching browser, a tool, one without a name."""


def asker_of(request: Request) -> Asker:
    agent = agent_of(request)
    purposes = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    prefetched = "prefetch" in purposes.lower() or "preview" in purposes.lower()
    if request.method == "HEAD" or prefetched or not agent or TOOLS.match(agent):
        return Asker.NOBODY
    return Asker.CRAWLER if _crawls(agent) else Asker.PERSON


def agent_of(request: Request) -> str:
    return request.headers.get("user-agent", "")[:LONGEST_AGENT].strip()


@lru_cache(MOST_REMEMBERED)
def platform_of(agent: str) -> Platform:
    """IOS or ANDROID by the agent's operating system; WEB for desktops and the unknown.

    An iPad that asks for desktop pages calls itself a Mac, and is taken for one.
    """
    system = parse_os(agent)
    return FAMILIES.get(system.family, Platform.WEB) if system else Platform.WEB


@lru_cache(MOST_REMEMBERED)
def _crawls(agent: str) -> bool:
    return bool(DETECTOR.is_crawler(agent))


# Both compile their patterns when first asked, which should not be in a visitor's time.
platform_of("")
_crawls("Mozilla/5.0")
