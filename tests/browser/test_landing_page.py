"""The page of an invitation as people see it, on their devices and in their languages."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser

from domain.attribution import Method
from settings import Settings
from tests.browser.audits import complaints_about
from tests.browser.conftest import APP_STORE
from tests.browser.devices import ANDROID, DESKTOP, IPHONE, SMALL_PHONE, Device
from tests.browser.visits import visit
from tokens import read

DEVICES: Final = (IPHONE, ANDROID, DESKTOP, SMALL_PHONE)
HEADINGS: Final = {
    "en-US": "A friend invites you to book.example",
    "es-MX": "Te invitan a book.example",
}
CLIPBOARD: Final = ["clipboard-read", "clipboard-write"]

on_every_device = pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
in_two_languages = pytest.mark.parametrize("locale", HEADINGS)


@in_two_languages
@on_every_device
async def test_shows_an_invitation_without_asking_anybody_else(
    browser: Browser, link: str, screenshots: Path, device: Device, locale: str
) -> None:
    async with visit(browser, device, locale=locale) as seen:
        await seen.page.goto(link)
        await seen.screenshot(screenshots / f"{device.name}-{locale}.png")
        assert await seen.page.locator("h1").inner_text() == HEADINGS[locale]
        assert await seen.page.locator("svg").count() == (device is DESKTOP)
        assert await complaints_about(seen.page) == []
    assert seen.requested == [link]
    assert seen.complaints == []


@in_two_languages
@on_every_device
async def test_every_way_on_works_without_javascript(
    browser: Browser, link: str, screenshots: Path, device: Device, locale: str
) -> None:
    async with visit(browser, device, locale=locale, java_script_enabled=False) as seen:
        await seen.page.goto(link)
        await seen.screenshot(screenshots / f"{device.name}-{locale}-no-script.png")
        assert await seen.page.locator("h1").inner_text() == HEADINGS[locale]
        assert await seen.page.locator("code").inner_text() == link.rpartition("/")[2]
        assert await seen.page.get_by_role("button").count() == 0
        assert await seen.hosts_of_links() >= {
            "apps.apple.com",
            "play.google.com",
            "book.example",
        }
    assert seen.requested == [link]
    assert seen.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@on_every_device
async def test_leaves_nobody_out(
    browser: Browser, link: str, screenshots: Path, device: Device, scheme: str
) -> None:
    async with visit(browser, device, locale="de-DE", color_scheme=scheme) as seen:
        await seen.page.goto(link)
        await seen.screenshot(screenshots / f"{device.name}-de-DE-{scheme}.png")
        assert await complaints_about(seen.page) == []


async def test_a_closed_link_leaves_nobody_out(
    browser: Browser, site: str, screenshots: Path
) -> None:
    async with visit(browser, SMALL_PHONE, locale="fr-FR") as seen:
        answer = await seen.page.goto(f"{site}/r/NOSUCHCODE")
        await seen.screenshot(screenshots / "unknown-code.png")
        assert answer is not None
        assert answer.status == 404
        assert await complaints_about(seen.page, landmarks=("main",)) == []


@pytest.mark.parametrize("device", [SMALL_PHONE, DESKTOP], ids=lambda device: device.name)
async def test_stands_the_longest_code_and_largest_letters(
    browser: Browser, link_of_longest_code: str, screenshots: Path, device: Device
) -> None:
    async with visit(browser, device) as seen:
        await seen.page.goto(link_of_longest_code)
        await seen.page.evaluate("document.documentElement.style.fontSize = '200%'")
        await seen.screenshot(screenshots / f"{device.name}-large.png")
        assert await complaints_about(seen.page) == []


async def test_is_walked_through_by_keyboard_alone(browser: Browser, link: str) -> None:
    async with visit(browser, DESKTOP) as seen:
        await seen.page.goto(link)
        names = []
        for _ in range(4):
            await seen.page.keyboard.press("Tab")
            focused = seen.page.locator(":focus")
            outline = await focused.evaluate("element => getComputedStyle(element).outlineStyle")
            names.append((await focused.inner_text(), outline))
    assert names == [
        ("Continue on the web", "solid"),
        ("Get the app on the App Store", "solid"),
        ("Get the app on Google Play", "solid"),
        ("Copy the code", "solid"),
    ]


@pytest.mark.parametrize(
    ("locale", "button", "done"),
    [("en-US", "Copy the code", "Copied"), ("es-ES", "Copiar el código", "Copiado")],
)
async def test_a_tap_copies_the_code(
    browser: Browser, link: str, locale: str, button: str, done: str
) -> None:
    async with visit(browser, ANDROID, locale=locale, permissions=CLIPBOARD) as seen:
        await seen.page.goto(link)
        await seen.page.get_by_role("button", name=button).tap()
        await seen.page.get_by_role("status").get_by_text(done, exact=True).wait_for()
        assert await seen.copied() == link.rpartition("/")[2]
    assert seen.requested == [link]
    assert seen.complaints == []


async def test_a_tap_on_the_store_copies_the_link_with_a_token_first(
    browser: Browser, link: str, settings: Settings
) -> None:
    async with visit(browser, IPHONE, permissions=CLIPBOARD) as seen:
        await seen.stand_in_for(APP_STORE)
        await seen.page.goto(link)
        consent = seen.page.get_by_text("The button copies your invitation link")
        assert await consent.is_visible()
        await seen.page.get_by_role("link", name="Get the app on the App Store").tap()
        await seen.page.wait_for_url(APP_STORE)
        copied = await seen.copied()
    assert copied.startswith(f"{link}?")
    (token,) = parse_qs(urlsplit(copied).query)["referral_token"]
    key = settings.token_key.get_secret_value().encode()
    assert read(token, key=key, at=datetime.now(UTC)).method is Method.CLIPBOARD
    assert seen.requested == [link, APP_STORE]


async def test_the_store_opens_without_copying(browser: Browser, link: str) -> None:
    async with visit(browser, IPHONE, permissions=CLIPBOARD) as seen:
        await seen.stand_in_for(APP_STORE)
        await seen.page.goto(link)
        await seen.page.evaluate("navigator.clipboard.writeText('what was there before')")
        await seen.page.get_by_role("link", name="Open the App Store without copying").tap()
        await seen.page.wait_for_url(APP_STORE)
        assert await seen.copied() == "what was there before"


async def test_the_store_opens_when_copying_is_refused(browser: Browser, link: str) -> None:
    async with visit(browser, IPHONE) as seen:
        await seen.stand_in_for(APP_STORE)
        await seen.page.goto(link)
        await seen.page.evaluate(
            "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }"
        )
        await seen.page.get_by_role("link", name="Get the app on the App Store").tap()
        await seen.page.wait_for_url(APP_STORE)
    assert seen.complaints == []


async def test_another_language_is_one_tap_away(browser: Browser, link: str) -> None:
    async with visit(browser, ANDROID, locale="en-US") as seen:
        await seen.page.goto(link)
        await seen.page.get_by_role("link", name="français").tap()
        await seen.page.get_by_role("heading", name="Une invitation sur book.example").wait_for()
        assert seen.page.url == f"{link}?lang=fr"
