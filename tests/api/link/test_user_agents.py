"""User agents of persons, crawlers and tools, and the platforms of devices."""

import subprocess
import sys
import time

import pytest
from starlette.requests import Request

from api.link.user_agents import Platform, Requester, platform_of, requester_of
from sandbox.evaluation.told_apart import tell_apart
from tests.user_agents import ANDROID, IPHONE, LINUX, WINDOWS

IN_AN_APP = IPHONE.replace("Version/17.5 ", "").removesuffix(" Safari/604.1")
IN_FACEBOOK = IPHONE.replace(
    "Version/17.5 ", "[FBAN/FBIOS;FBAV/460.0.0.31.103;FBDV/iPhone14,5;FBSN/iOS;FBSV/17.5] "
)


def embedded(what: str, where: str) -> list[tuple[str, str]]:
    return [("Sec-Fetch-Dest", what), ("Sec-Fetch-Site", where)]


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
        (LINUX, Platform.WEB),
        ("something new", Platform.WEB),
        ("", Platform.WEB),
    ],
)
def test_knows_the_platform_by_the_agent(agent: str, platform: Platform) -> None:
    assert platform_of(agent) is platform


@pytest.mark.parametrize(
    "agent",
    [
        IPHONE,
        ANDROID,
        WINDOWS,
        IN_FACEBOOK,
        f"{IN_AN_APP} WhatsApp/24.9.78",
        f"{IN_AN_APP} Slack/24.05",
        f"{IN_AN_APP} Outlook-iOS/723.4027091.prod.iphone",
        f"{IN_AN_APP} QRCodeReader/4.5",
        f"{IN_AN_APP} oddschecker/10.2",
        f"{IN_AN_APP} Instagram 331.0.8.24.92 (iPhone14,5; iOS 17_5; en_US; scale=3.00)",
        f"{IN_AN_APP} musical_ly_34.1.0 JsSdk/2.0 NetType/WIFI BytedanceWebview/d8a21c6",
        f"{IN_AN_APP} [Pinterest/iOS]",
        f"{IN_AN_APP} Tumblr/34.1",
        f"{IN_AN_APP} Botim/3.0",
        f"{IN_AN_APP} NAVER(inapp; search; 2000; 12.8.4; 14PRO)",
        ANDROID.replace("Android 10; K", "Android 9; CUBOT P30"),
        ANDROID.replace("Android 10; K", "Android 8.1.0; XBot_Senior Build/O11019"),
        ANDROID.replace("Android 10; K", "Android 15; CPH2557 Build/AP3A.240617.008; wv"),
        f"{ANDROID} MetaIAB Facebook",
        f"{ANDROID} Viber/25.3.1.0",
        f"{ANDROID} SogouMSE,SogouMobileBrowser/6.5.11",
        WINDOWS.replace("Chrome/", "WhatsAppElectron/1.0.3 Chrome/"),
        ANDROID.replace("Mobile Safari", "Mobile Safari/537.36 Telegram-Android/10.12.0"),
        "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
        "UCWEB/2.0 (MIDP-2.0; U; Adr 9; en-US; SM-A205F) U2/1.0.0 UCBrowser/12.9.3 U2/1.0.0 Mobile",
        "SAMSUNG-GT-S5620/S5620XEJE3 SHP/VPP/R5 Dolfin/1.5 Nextreaming SMM-MMS/1.2.0",
        (
            "Mozilla/5.0 (Linux; U; Android 4.4.2; en-us; GT-I9505 Build/KOT49H)"
            " AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30"
        ),
    ],
)
def test_takes_browsers_for_people(agent: str) -> None:
    assert requester_of(request_with(("User-Agent", agent))) is Requester.PERSON


@pytest.mark.parametrize(
    "agent",
    [
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Twitterbot/1.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "WhatsApp/2.23.20.0 A",
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4"
            " (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4"
            " facebookexternalhit/1.1 Facebot Twitterbot/1.0"
        ),
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
        "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Viber/13.3.0.5 CFNetwork/1121.2.2 Darwin/19.3.0",
        "MobileSMS/1.0 CFNetwork/1410.0.3 Darwin/22.6.0",
        "Dalvik/2.1.0 (Linux; U; Android 11; Pixel 5)",
        "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
        "meta-externalagent/1.1",
        "Google-Safety",
        "Viber",
        "Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)",
        "Datadog Synthetic",
        f"{WINDOWS} Playwright/1.40.0",
        "Amazon CloudFront",
        "kakaotalk-scrap/1.0",
        "Line-Poker/1.0",
        "BarracudaCentral",
        "Prometheus/2.45",
        "nmap",
        "Mozilla",
        "Mozilla/5.0 (compatible)",
        "Mozilla/4.0",
        "Mozilla/5.0 ()",
        f"{WINDOWS} Google-PageRenderer",
        "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.3",
        "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/22.1.0",
        f"{WINDOWS} Cypress/13.0",
        f"{WINDOWS} ms-safelinks",
        "-",
        ANDROID.replace("; K)", "; Pixel 2 Build/OPD3; Storebot-Google/1.0)"),
        ANDROID.replace("; K)", "; K; compatible; Somebody's Unheard-of Crawler)"),
    ],
)
def test_takes_previews_for_crawlers(agent: str) -> None:
    assert requester_of(request_with(("User-Agent", agent))) is Requester.CRAWLER


def test_takes_few_published_crawlers_for_people_and_no_browser_for_a_program() -> None:
    told_apart = tell_apart()
    assert (told_apart.crawlers > 2000, told_apart.browsers > 100) == (True, True)
    assert told_apart.share_taken_for_people <= 0.01
    assert told_apart.browsers_taken_for_programs == []


@pytest.mark.parametrize(
    "purpose",
    [
        ("Sec-Purpose", "Prefetch;prerender"),
        ("Sec-Purpose", "prerender"),
        ("Sec-Speculation-Tags", "null"),
        ("Purpose", "preview"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("agent", [IPHONE, "curl/8.5.0", ""])
def test_a_load_ahead_of_its_person_is_speculative(
    purpose: tuple[str, str], method: str, agent: str
) -> None:
    request = request_with(("User-Agent", agent), purpose, method=method)
    assert requester_of(request) is Requester.SPECULATIVE


def test_a_purpose_counts_beside_another_one() -> None:
    purposes = (("Sec-Purpose", "other"), ("Sec-Purpose", "prefetch"))
    assert requester_of(request_with(("User-Agent", IPHONE), *purposes)) is Requester.SPECULATIVE


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", [("User-Agent", IPHONE)]),
        ("GET", [("User-Agent", IPHONE), *embedded("image", "cross-site")]),
        ("GET", [("User-Agent", IPHONE), *embedded("iframe", "cross-site")]),
        ("GET", [("User-Agent", IPHONE), *embedded("empty", "same-site")]),
        ("GET", [("User-Agent", "  ")]),
        ("GET", [("User-Agent", "python-httpx/0.28.1")]),
        ("GET", [("User-Agent", "curl/8.5.0")]),
        ("GET", []),
    ],
)
def test_a_program_is_nobody(method: str, headers: list[tuple[str, str]]) -> None:
    assert requester_of(request_with(*headers, method=method)) is Requester.REDIRECT_ONLY


@pytest.mark.parametrize(
    "fetched",
    [
        embedded("document", "cross-site"),
        embedded("document", "none"),
        embedded("empty", "same-origin"),
        embedded("Document", "Cross-Site"),
        embedded("", ""),
    ],
    ids=[
        "from elsewhere",
        "typed",
        "through a service worker",
        "in capitals",
        "emptied by a proxy",
    ],
)
def test_a_browser_is_a_person(fetched: list[tuple[str, str]]) -> None:
    assert requester_of(request_with(("User-Agent", IPHONE), *fetched)) is Requester.PERSON


def test_compiles_patterns_before_the_first_visitor() -> None:
    program = (
        "import asyncio; from crawlerdetect.crawlerdetect import get_compiled_crawler_regex;"
        "from api.warm_up import warm_up; from db.engine import Database;"
        "away = Database('postgresql+asyncpg://127.0.0.1:1/none', pool_size=1);"
        "asyncio.run(warm_up(away)); print(get_compiled_crawler_regex.cache_info().currsize)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "1"


def test_a_long_word_takes_no_longer_than_others() -> None:
    started = time.process_time()
    agents = [f"Mozilla/5.0 {n:03}{'a' * 490}" for n in range(100)]
    requesters = {requester_of(request_with(("User-Agent", agent))) for agent in agents}
    assert time.process_time() - started < 1
    assert requesters == {Requester.PERSON}
    assert (
        requester_of(request_with(("User-Agent", f"Mozilla/5.0 {'a' * 490}bot")))
        is Requester.CRAWLER
    )


def request_with(*headers: tuple[str, str], method: str = "GET") -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": method, "headers": raw})
