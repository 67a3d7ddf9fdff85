"""Pictures of the console with the data of the stack that runs here.

`python -m tests.pictures` writes those of the README to docs/images; `--every DIRECTORY` writes
each page at desktop and phone width, light and dark. Needs Debian's chromium, and `make demo` and
`make up` before.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from db.engine import Database
from referrals.access.audit import Actor
from referrals.access.console import people
from referrals.access.console.roles import Role
from stack.postgres import sqlalchemy_url
from tests import ROOT
from tests.browser.conftest import CHROMIUM, QUIET

IMAGES: Final = ROOT / "docs" / "images"
CONNECTION: Final = ROOT / ".stack" / "connection.json"
ACTOR: Final = Actor(name="pictures", request_id=None, reason="pictures of the console")
PAGES: Final = {
    "overview": "/console",
    "queue": "/console/cases?status=",
    "case": "/console/cases",
    "referrals": "/console/referrals",
    "referral": "/console/referrals?stage=REVERSED",
    "held": "/console/referrals?stage=HELD",
    "campaigns": "/console/campaigns",
    "campaign": "/console/campaigns/season-opener",
    "edit": "/console/campaigns/season-opener/edit",
    "new": "/console/new-campaign",
    "simulation": "/console/campaigns/season-opener/simulate?from=2020-01-01&to=2040-01-01",
    "switches": "/console/switches",
    "search": "/console/search?q=player-1004",
    "nothing": "/console/search?q=nobody",
    "empty": "/console/referrals?player=nobody",
    "player": "/console/players/player-1004",
    "ledger": "/console/ledger?player=player-1004",
    "audit": "/console/ledger/audit",
    "operations": "/console/operations",
    "refusal": "/console/cases/00000000-0000-0000-0000-000000000000",
}
FIRST_OF: Final = {
    "case": "/console/cases/",
    "referral": "/console/referrals/",
    "held": "/console/referrals/",
}
"""Pages on which the first link that begins so is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    name: str
    scheme: str
    width: int
    height: int


DESKTOP_LIGHT: Final = Look(name="desktop-light", scheme="light", width=1280, height=860)
DESKTOP_DARK: Final = Look(name="desktop-dark", scheme="dark", width=1280, height=860)
PHONE_LIGHT: Final = Look(name="phone-light", scheme="light", width=390, height=844)
PHONE_DARK: Final = Look(name="phone-dark", scheme="dark", width=390, height=844)
README: Final = (
    ("console-overview.png", "overview", DESKTOP_LIGHT),
    ("console-case.png", "case", DESKTOP_DARK),
    ("console-offer.png", "edit", DESKTOP_LIGHT),
)


def main() -> None:
    connection: dict[str, Any] = json.loads(CONNECTION.read_text())
    every = Path(sys.argv[2]) if sys.argv[1:2] == ["--every"] else None
    asyncio.run(_take(connection, every))


async def _take(connection: dict[str, Any], every: Path | None) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, headless=True
        )
        if every is None:
            for file, page, look in README:
                await _shoot(browser, connection, look, {page: IMAGES / file}, is_whole=False)
        else:
            every.mkdir(parents=True, exist_ok=True)
            for look in (DESKTOP_LIGHT, PHONE_DARK, DESKTOP_DARK, PHONE_LIGHT):
                files = {page: every / f"{page}-{look.name}.png" for page in PAGES}
                await _shoot(browser, connection, look, files, is_whole=True)
        await browser.close()


async def _shoot(
    browser: Browser,
    connection: dict[str, Any],
    look: Look,
    files: dict[str, Path],
    *,
    is_whole: bool,
) -> None:
    """Sign in at one look and write a picture of each page."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = await _signed_in(context, connection)
    for name, file in files.items():
        await page.goto(f"{connection['api_url']}{PAGES[name]}")
        if name in FIRST_OF:
            await page.locator(f'main a[href^="{FIRST_OF[name]}"]').first.click()
        await page.wait_for_load_state("networkidle")
        await page.screenshot(path=file, full_page=is_whole)
    await context.close()


async def _signed_in(context: BrowserContext, connection: dict[str, Any]) -> Page:
    dsn = sqlalchemy_url(connection["postgres_dsn"])
    async with Database.open(dsn) as database, database.transaction() as session:
        token = await people.create_link(
            session, name="Operator", role=Role.ADMIN, actor=ACTOR, now=datetime.now(UTC)
        )
    page = await context.new_page()
    page.set_default_timeout(120_000)
    await page.goto(f"{connection['console_url']}/sign-in?token={token}")
    return page


if __name__ == "__main__":
    main()
