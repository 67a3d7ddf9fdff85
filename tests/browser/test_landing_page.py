"""The landing page as people see it, on their devices and in their languages."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser

from tests.browser.accessibility import accessibility_issues
from tests.browser.devices import (
    ANDROID,
    DESKTOP,
    DESKTOP_PAGE_ON_IPHONE,
    IPHONE,
    SMALL_PHONE,
    Device,
)
from tests.browser.visits import visit

DEVICES: Final = (IPHONE, ANDROID, DESKTOP, SMALL_PHONE)
HEADINGS: Final = {
    "en-US": "A friend invites you to book.example",
    "es-MX": "Te invitan a book.example",
}

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
        assert await accessibility_issues(seen.page) == []
    assert seen.requested == [link]
    assert seen.console_messages == []


@in_two_languages
@on_every_device
async def test_every_destination_works_without_javascript(
    browser: Browser, link: str, screenshots: Path, device: Device, locale: str
) -> None:
    async with visit(browser, device, locale=locale, java_script_enabled=False) as seen:
        await seen.page.goto(link)
        await seen.screenshot(screenshots / f"{device.name}-{locale}-no-script.png")
        assert await seen.page.locator("h1").inner_text() == HEADINGS[locale]
        assert await seen.page.locator("code").inner_text() == link.rpartition("/")[2]
        assert await seen.page.get_by_role("button").count() == 0
        assert await seen.page.locator("[aria-describedby]").count() == 0
        hosts = await seen.link_hosts()
        assert "book.example" in hosts
        assert ("apps.apple.com" in hosts) == (device is not ANDROID)
        assert ("play.google.com" in hosts) == (device in (ANDROID, DESKTOP))
    assert seen.requested == [link]
    assert seen.console_messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@on_every_device
async def test_is_accessible_in_light_and_dark(
    browser: Browser, link: str, screenshots: Path, device: Device, scheme: str
) -> None:
    async with visit(browser, device, locale="de-DE", color_scheme=scheme) as seen:
        await seen.page.goto(link)
        await seen.screenshot(screenshots / f"{device.name}-de-DE-{scheme}.png")
        assert await accessibility_issues(seen.page) == []


async def test_an_unknown_code_page_is_accessible(
    browser: Browser, site: str, screenshots: Path
) -> None:
    async with visit(browser, SMALL_PHONE, locale="fr-FR") as seen:
        answer = await seen.page.goto(f"{site}/r/NOSUCHCODE")
        await seen.screenshot(screenshots / "unknown-code.png")
        assert answer is not None
        assert answer.status == 404
        assert await accessibility_issues(seen.page, landmarks=("main",)) == []


@pytest.mark.parametrize("device", [SMALL_PHONE, DESKTOP], ids=lambda device: device.name)
async def test_stands_the_longest_code_and_largest_letters(
    browser: Browser, link_of_longest_code: str, screenshots: Path, device: Device
) -> None:
    async with visit(browser, device) as seen:
        await seen.page.goto(link_of_longest_code)
        await seen.page.evaluate("document.documentElement.style.fontSize = '200%'")
        await seen.screenshot(screenshots / f"{device.name}-large.png")
        assert await accessibility_issues(seen.page) == []


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


async def test_another_language_is_one_tap_away(browser: Browser, link: str) -> None:
    async with visit(browser, ANDROID, locale="en-US") as seen:
        await seen.page.goto(link)
        await seen.page.get_by_role("link", name="français").tap()
        await seen.page.get_by_role("heading", name="Une invitation sur book.example").wait_for()
        assert seen.page.url == f"{link}?lang=fr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_shows_logo_terms_and_helplines(
    browser: Browser, site: str, branded_link: str, screenshots: Path, scheme: str
) -> None:
    async with visit(browser, SMALL_PHONE, color_scheme=scheme) as seen:
        await seen.page.goto(branded_link)
        await seen.screenshot(screenshots / f"branded-{scheme}.png")
        logo = seen.page.get_by_role("img", name="book.example")
        assert await logo.evaluate("image => image.complete && image.naturalWidth") == 1200
        number = seen.page.get_by_role("link", name="1-800-426-2537")
        assert await number.get_attribute("href") == "tel:18004262537"
        terms = seen.page.get_by_role("link", name="Full terms and conditions")
        assert await terms.get_attribute("href") == "https://book.example/terms"
        assert await accessibility_issues(seen.page) == []
    assert seen.requested == [branded_link, f"{site}/invitation.png"]
    assert seen.console_messages == []


async def test_an_iphone_that_asks_for_desktop_pages_is_not_offered_google_play(
    browser: Browser, link: str
) -> None:
    async with visit(browser, DESKTOP_PAGE_ON_IPHONE) as seen:
        await seen.page.goto(link)
        assert await seen.page.get_by_role("link", name="App Store").count() == 1
        assert await seen.page.get_by_role("link", name="Google Play").count() == 0


async def test_an_unknown_code_leads_on_to_the_sportsbook(browser: Browser, site: str) -> None:
    async with visit(browser, IPHONE) as seen:
        await seen.stub_site("https://book.example/**")
        await seen.page.goto(f"{site}/r/NOSUCHCODE")
        await seen.page.get_by_role("link", name="Continue on the web").tap()
        await seen.page.wait_for_url("https://book.example/signup")
