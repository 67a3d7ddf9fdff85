"""The script `/referral.js` in a real browser, on a sportsbook's signup page."""

from typing import Final

from playwright.async_api import Browser, Page, Route

from api.link.browser_script import SCRIPT
from tests.browser.devices import DESKTOP
from tests.browser.visits import visit

SIGNUP: Final = "https://book.example/signup"
REFERRAL_JS: Final = "https://refer.example/referral.js"
FIELDS: Final = "form => Object.fromEntries(new FormData(form))"


async def serve_signup(page: Page) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(
            content_type="text/html",
            body=f"""<!doctype html><title>Sign up</title>
              <script src="{REFERRAL_JS}" defer></script>
              <form data-referral><input name="code" value="FRIEND23"></form>""",
        )

    async def answer_with_script(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body=SCRIPT)

    await page.route(f"{SIGNUP}**", answer)
    await page.route(REFERRAL_JS, answer_with_script)


async def test_fills_the_token_of_the_landing_into_the_form_and_keeps_it(browser: Browser) -> None:
    async with visit(browser, DESKTOP) as seen:
        await serve_signup(seen.page)
        await seen.page.goto(f"{SIGNUP}?flag&q=a%20b&referral_token=a%2Bb.c#top")
        form = seen.page.locator("form")
        assert await form.evaluate(FIELDS) == {
            "code": "FRIEND23",
            "referral_token": "a+b.c",
            "cookie_token": "a+b.c",
        }
        assert seen.page.url == f"{SIGNUP}?flag&q=a%20b#top"

        later = await seen.page.context.new_page()
        await serve_signup(later)
        await later.goto(SIGNUP)
        assert await later.locator("form").evaluate(FIELDS) == {
            "code": "FRIEND23",
            "cookie_token": "a+b.c",
        }
    hosts = {url.split("/")[2] for url in seen.requested}
    assert hosts == {"book.example", "refer.example"}
    assert seen.console_messages == []


async def test_a_visitor_without_an_invitation_gets_no_field(browser: Browser) -> None:
    async with visit(browser, DESKTOP) as seen:
        await serve_signup(seen.page)
        await seen.page.goto(SIGNUP)
        assert await seen.page.locator("form").evaluate(FIELDS) == {"code": "FRIEND23"}
