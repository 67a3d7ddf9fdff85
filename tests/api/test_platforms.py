"""Who asks for a link, as told by the names that browsers and programs give themselves."""

import pytest
from starlette.requests import Request

from api.platforms import Asker, asker_of, platform_of
from api.schemas.codes import Platform

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Mobile Safari/537.36"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
IN_FACEBOOK = IPHONE.replace(
    "Version/17.5 ", "[FBAN/FBIOS;FBAV/460.0.0.31.103;FBDV/iPhone14,5;FBSN/iOS;FBSV/17.5] "
)


@pytest.mark.parametrize(
    ("agent", "platform"),
    [
        (IPHONE, Platform.IOS),
        (IPHONE.replace("(iPhone; CPU iPhone OS", "(iPad; CPU OS"), Platform.IOS),
        (IN_FACEBOOK, Platform.IOS),
        (ANDROID, Platform.ANDROID),
        ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", Platform.ANDROID),
        (WINDOWS, Platform.WEB),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605", Platform.WEB),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Platform.WEB),
        ("something new", Platform.WEB),
        ("", Platform.WEB),
    ],
)
def test_knows_the_platform_by_the_agent(agent: str, platform: Platform) -> None:
    assert platform_of(agent) is platform


@pytest.mark.parametrize("agent", [IPHONE, ANDROID, WINDOWS, IN_FACEBOOK])
def test_takes_browsers_for_people(agent: str) -> None:
    assert asker_of(asking(("User-Agent", agent))) is Asker.PERSON


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Twitterbot/1.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    ],
)
def test_takes_previews_for_crawlers(agent: str) -> None:
    assert asker_of(asking(("User-Agent", agent))) is Asker.CRAWLER


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", [("User-Agent", IPHONE)]),
        ("GET", [("User-Agent", IPHONE), ("Sec-Purpose", "Prefetch;prerender")]),
        ("GET", [("User-Agent", IPHONE), ("Purpose", "preview")]),
        ("GET", [("User-Agent", "  ")]),
        ("GET", [("User-Agent", "python-httpx/0.28.1")]),
        ("GET", [("User-Agent", "curl/8.5.0")]),
        ("GET", []),
    ],
)
def test_nobody_looks_at_what_is_only_asked_for(
    method: str, headers: list[tuple[str, str]]
) -> None:
    assert asker_of(asking(*headers, method=method)) is Asker.NOBODY


def asking(*headers: tuple[str, str], method: str = "GET") -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": method, "headers": raw})
