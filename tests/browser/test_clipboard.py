"""Copying by a tap on the landing page, read back from the clipboard."""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, expect

from domain.attribution.policy import Method
from referrals.attribution.tokens import Tokens
from runtime.settings import Settings
from tests.browser.conftest import APP_STORE
from tests.browser.devices import ANDROID, IPHONE
from tests.browser.visits import visit

CLIPBOARD: Final = ["clipboard-read", "clipboard-write"]


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
        assert await seen.clipboard_text() == link.rpartition("/")[2]
    assert seen.requested == [link]
    assert seen.console_messages == []


async def test_a_tap_on_the_store_copies_the_link_with_a_token_first(
    browser: Browser, link: str, settings: Settings
) -> None:
    async with visit(browser, IPHONE, permissions=CLIPBOARD) as seen:
        await seen.stub_site(APP_STORE)
        await seen.page.goto(link)
        consent = seen.page.get_by_text("The button copies your invitation link")
        assert await consent.is_visible()
        store = seen.page.get_by_role("link", name="Get the app on the App Store")
        await expect(store).to_have_accessible_description(re.compile("^The button copies"))
        await store.tap()
        await seen.page.wait_for_url(APP_STORE)
        copied = await seen.clipboard_text()
    assert copied.startswith(f"{link}?")
    (token,) = parse_qs(urlsplit(copied).query)["referral_token"]
    tokens = Tokens(settings.token_key.get_secret_value())
    assert tokens.read(token, at=datetime.now(UTC)).method is Method.CLIPBOARD
    assert seen.requested == [link, APP_STORE]


async def test_the_store_opens_without_copying(browser: Browser, link: str) -> None:
    async with visit(browser, IPHONE, permissions=CLIPBOARD) as seen:
        await seen.stub_site(APP_STORE)
        await seen.page.goto(link)
        await seen.page.evaluate("navigator.clipboard.writeText('what was there before')")
        await seen.page.get_by_role("link", name="Open the App Store without copying").tap()
        await seen.page.wait_for_url(APP_STORE)
        assert await seen.clipboard_text() == "what was there before"


REFUSALS: Final = {
    "refused": "() => Promise.reject(new Error('refused'))",
    "never answered": "() => new Promise(() => {})",
    "not there": "undefined",
}
on_every_refusal = pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())


@on_every_refusal
async def test_the_store_opens_when_copying_is_refused(
    browser: Browser, link: str, refusal: str
) -> None:
    async with visit(browser, IPHONE) as seen:
        await seen.stub_site(APP_STORE)
        await seen.page.goto(link)
        await seen.page.evaluate(f"() => {{ navigator.clipboard.writeText = {refusal}; }}")
        await seen.page.get_by_role("link", name="Get the app on the App Store").tap()
        await seen.page.wait_for_url(APP_STORE)
    assert seen.console_messages == []


@on_every_refusal
async def test_a_code_that_cannot_be_copied_is_marked_for_the_person_to_copy(
    browser: Browser, link: str, refusal: str
) -> None:
    async with visit(browser, ANDROID) as seen:
        await seen.page.goto(link)
        await seen.page.evaluate(f"() => {{ navigator.clipboard.writeText = {refusal}; }}")
        await seen.page.get_by_role("button", name="Copy the code").tap()
        code = link.rpartition("/")[2]
        await seen.page.wait_for_function("code => `${getSelection()}`.trim() === code", arg=code)
        assert await seen.page.get_by_role("status").inner_text() == ""
    assert seen.console_messages == []
