"""Destinations of a link on phones and desktops, and how each carries the token."""

from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.app import build_app
from api.link.landing.content import qr_code
from api.link.landing.destinations import with_token
from db.engine import Database
from domain.attribution.policy import Method
from referrals.attribution.tokens import TokenOutcome, TokenReading, Tokens
from runtime.settings import Settings
from tests.api.bodies import create_code, publish_campaign, terms
from tests.api.link.landing_page import (
    APP_STORE,
    REFEREE_REWARD,
    follow_link,
    parse_page,
    query_parameter,
    touch_methods,
)
from tests.fixtures.api_client import browser
from tests.user_agents import ANDROID, IPHONE, WINDOWS


async def test_android_is_led_to_google_play_with_the_token_as_its_referrer(
    client: AsyncClient, app_with_mobile_apps: FastAPI, settings: Settings
) -> None:
    code = await create_code(client)
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}", ANDROID)
    assert answer.status_code == 302
    store, _, _ = answer.headers["location"].partition("?")
    assert store == "https://play.google.com/store/apps/details"
    assert query_parameter(answer.headers["location"], "id") == "example.book"
    name, _, token = query_parameter(answer.headers["location"], "referrer").partition("=")
    assert name == "referral_token"
    carried = read_token(settings, token)
    kept = read_token(settings, answer.cookies["referral_token"])
    assert (carried.outcome, carried.method) == (TokenOutcome.VALID, Method.INSTALL_REFERRER)
    assert (kept.method, kept.subject) == (Method.REFERRAL_TOKEN, carried.subject)


async def test_an_iphone_gets_a_page_whose_button_copies_a_token(
    client: AsyncClient, app_with_mobile_apps: FastAPI, settings: Settings
) -> None:
    code = await create_code(client)
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}", IPHONE)
    assert answer.status_code == 200
    page = parse_page(answer.text)
    assert page.links.count(APP_STORE) == 2
    (copied,) = {text for text in page.copy_texts if text != code}
    assert copied.startswith(f"https://refer.example/r/{code}?")
    clipboard = read_token(settings, query_parameter(copied, "referral_token"))
    web = read_token(settings, query_parameter(page.link_to("book.example"), "referral_token"))
    kept = read_token(settings, answer.cookies["referral_token"])
    assert clipboard.method is Method.CLIPBOARD
    assert web == kept
    assert clipboard.subject == web.subject
    assert page.svg_count == 0


@pytest.mark.parametrize("agent", [IPHONE, ANDROID, WINDOWS])
async def test_without_apps_everybody_is_led_to_the_destination(
    client: AsyncClient, app: FastAPI, agent: str
) -> None:
    code = await create_code(client, await publish_campaign(client))
    answer = await follow_link(app, f"/r/{code}", agent)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://book.example/signup?lang=en&")


async def test_a_campaign_may_show_the_page_to_everybody(
    client: AsyncClient, app_with_mobile_apps: FastAPI, settings: Settings
) -> None:
    code = await create_code(
        client,
        await publish_campaign(client, link={"opens": "landing"}, terms=terms(**REFEREE_REWARD)),
    )
    answer = await follow_link(app_with_mobile_apps, f"/r/{code}", WINDOWS)
    assert qr_code(f"https://refer.example/r/{code}?via=qr") in answer.text
    desktop = parse_page(answer.text)
    android = parse_page((await follow_link(app_with_mobile_apps, f"/r/{code}", ANDROID)).text)
    for page in (desktop, android):
        assert "$5.50 for you and $10 for your friend when you deposit $10 or more" in page.text
        assert "Sign up within 30 days of opening this link." in page.text
        assert code in page.text
        assert "referral_token" in query_parameter(page.link_to("play.google.com"), "referrer")
    assert (APP_STORE in desktop.links, APP_STORE in android.links) == (True, False)
    assert (desktop.svg_count, android.svg_count) == (1, 0)
    (opened,) = [link for link in android.links if link.startswith("intent:")]
    assert opened.startswith(f"intent://refer.example/r/{code}?referral_token=")
    assert "#Intent;scheme=https;package=example.book;S.browser_fallback_url=https%3A" in opened
    token = opened.partition("referral_token=")[2].partition("#")[0]
    assert read_token(settings, token).method is Method.UNIVERSAL_LINK


async def test_an_iphone_is_not_offered_google_play(
    client: AsyncClient, app_with_mobile_apps: FastAPI
) -> None:
    code = await create_code(client, await publish_campaign(client, link={"opens": "landing"}))
    page = parse_page((await follow_link(app_with_mobile_apps, f"/r/{code}", IPHONE)).text)
    assert APP_STORE in page.links
    assert [link for link in page.links if "play.google.com" in link] == []


async def test_an_unknown_code_leads_to_the_sportsbook(
    settings: Settings, database: Database
) -> None:
    chosen = settings.model_copy(update={"site_url": "https://book.example/"})
    answer = await follow_link(build_app(chosen, database), "/r/NOSUCHCODE", WINDOWS)
    assert answer.status_code == 404
    assert "https://book.example/" in parse_page(answer.text).links


@pytest.mark.parametrize("slashes", ["/", "//", "/%20", "%2F"])
async def test_a_slash_at_the_end_of_a_link_makes_no_difference(
    client: AsyncClient, app: FastAPI, slashes: str
) -> None:
    code = await create_code(client)
    answer = await follow_link(app, f"/r/{code}{slashes}", WINDOWS)
    assert answer.status_code == 302
    assert query_parameter(answer.headers["location"], "referral_token")


async def test_a_scanned_code_is_a_touch_of_its_own(
    client: AsyncClient, app: FastAPI, database: Database, settings: Settings
) -> None:
    code = await create_code(client)
    async with browser(app, WINDOWS) as visitor:
        scanned = await visitor.get(f"/r/{code}?via=qr")
        tapped = await visitor.get(f"/r/{code}?via=else")
    tokens = [
        query_parameter(answer.headers["location"], "referral_token")
        for answer in (scanned, tapped)
    ]
    readings = [read_token(settings, token) for token in tokens]
    assert [one.method for one in readings] == [Method.QR_CODE, Method.REFERRAL_TOKEN]
    assert readings[0].subject == readings[1].subject
    assert tokens[0] == scanned.cookies["referral_token"]
    assert await touch_methods(database, code) == ["qr_code", "referral_token"]


def read_token(settings: Settings, token: str) -> TokenReading:
    tokens = Tokens(settings.token_key.get_secret_value())
    return tokens.read(token, at=datetime.now(UTC))


async def test_a_redirect_leaves_every_byte_of_the_destination(
    client: AsyncClient, app: FastAPI
) -> None:
    url = 'https://b.example/{click}|^`?q=<x>"&f=%e9;[]~#{top}'
    code = await create_code(client, await publish_campaign(client, destination=url))
    person = await follow_link(app, f"/r/{code}", WINDOWS)
    program = await follow_link(app, f"/r/{code}", "curl/8.5.0")
    before, _, rest = person.headers["location"].partition("&referral_token=")
    assert f"{before}#{rest.partition('#')[2]}" == url
    assert program.headers["location"] == url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://b.example/s", "https://b.example/s?referral_token=T.1"),
        ("https://b.example/s?flag", "https://b.example/s?flag&referral_token=T.1"),
        ("https://b.example/s?a=b%20c", "https://b.example/s?a=b%20c&referral_token=T.1"),
        ("https://b.example/s?a=%E9;b", "https://b.example/s?a=%E9;b&referral_token=T.1"),
        (
            "https://b.example/?u=/x{y}!*'()&&",
            "https://b.example/?u=/x{y}!*'()&&&referral_token=T.1",
        ),
        ("https://b.example/s?#top", "https://b.example/s?referral_token=T.1#top"),
        ("https://b.example/#/a?b=c", "https://b.example/?referral_token=T.1#/a?b=c"),
        (
            "https://b.example/s?referral_token=old&a=1",
            "https://b.example/s?a=1&referral_token=T.1",
        ),
        ("https://b.example/s?referral%5Ftoken=old", "https://b.example/s?referral_token=T.1"),
    ],
)
def test_the_token_is_appended_to_the_same_bytes(url: str, expected: str) -> None:
    assert with_token(url, token="T.1") == expected  # noqa: S106 - not a secret
