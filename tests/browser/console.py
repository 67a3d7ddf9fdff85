"""People at the console in a real browser: signed in by a link, watched for errors and requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from db.engine import Database
from referrals.access.console.roles import Role
from tests.api.console.signed_in import link_token
from tests.browser.devices import Device
from tests.browser.visits import Visit, visit

TIMEOUT_MS: Final = 60_000
AXE_OPTIONS: Final = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


@asynccontextmanager
async def console_of(
    browser: Browser,
    device: Device,
    site: str,
    database: Database,
    *,
    role: Role,
    name: str,
    **options: Any,  # noqa: ANN401 - of Playwright
) -> AsyncIterator[Visit]:
    """Open the console as a person; afterwards, nothing has failed or left the host."""
    token = await link_token(database, role=role, name=name)
    async with visit(browser, device, **options) as opened:
        opened.page.set_default_timeout(TIMEOUT_MS)
        await opened.page.goto(f"{site}/console/sign-in?token={token}")
        assert token not in opened.page.url
        yield opened
        assert opened.console_messages == []
        assert [url for url in opened.requested if not url.startswith(site)] == []


async def violations(page: Page) -> list[str]:
    """Return what axe finds on the page, with the elements."""
    found = await Axe().run(page, options=AXE_OPTIONS)
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


async def is_wider_than_screen(page: Page) -> bool:
    wider: bool = await page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider
