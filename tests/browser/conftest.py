"""Fixtures: Debian's Chromium, and the site that it visits on a loopback address."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
import uvicorn
from httpx import AsyncClient
from playwright.async_api import Browser, async_playwright, expect

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests import ROOT
from tests.api.bodies import create_code, publish_campaign, terms, unique

CHROMIUM: Final = "/usr/bin/chromium"
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENSHOTS: Final = ROOT / ".artefacts" / "screenshots"
EXPECT_TIMEOUT_MS: Final = 30_000
"""Patience with a busy machine: nothing that is expected takes as long on an idle one."""
APP_STORE: Final = "https://apps.apple.com/app/id0000000000"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    expect.set_options(timeout=EXPECT_TIMEOUT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=QUIET, headless=True
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def site(settings: Settings, database: Database) -> AsyncIterator[str]:
    """Serve a deployment with both apps, and return its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    apps = {"ios_app_store_url": APP_STORE, "android_package": "example.book"}
    chosen = settings.model_copy(update={"public_url": url, **apps})
    config = uvicorn.Config(build_app(chosen, database), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield url
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def link(site: str, client: AsyncClient) -> str:
    """Return a link of a campaign that shows the landing page to everybody."""
    reward = {"minor": 550, "currency": "USD"}
    slug = await publish_campaign(
        client, link={"opens": "landing"}, terms=terms(referee_reward=reward)
    )
    return f"{site}/r/{await create_code(client, slug)}"


@pytest.fixture(scope="session")
async def branded_link(site: str, client: AsyncClient) -> str:
    """Return a link whose page has a logo, the terms and helplines of several places."""
    line = {"text": "Gambling problem? Call 1-800-GAMBLER.", "phone": "1-800-426-2537"}
    branding = {
        "logo_url": f"{site}/invitation.png",
        "terms_url": "https://book.example/terms",
        "helplines": [
            {"jurisdiction": "US-NJ", "url": "https://help.example/", **line},
            {"text": "Help is free and private:", "phone": "116 123"},
        ],
    }
    slug = await publish_campaign(client, link={"opens": "landing", **branding})
    return f"{site}/r/{await create_code(client, slug)}"


@pytest.fixture(scope="session")
async def link_of_longest_code(site: str, client: AsyncClient) -> str:
    slug = await publish_campaign(client, link={"opens": "landing"})
    vanity = uuid4().hex.upper()
    body = {"player_id": unique("referrer"), "campaign": slug, "vanity": vanity}
    assert (await client.post("/v1/codes", json=body)).status_code == 201
    return f"{site}/r/{vanity}"


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Return the folder of screenshots, emptied for this run."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for old in SCREENSHOTS.glob("*.png"):
        old.unlink()
    return SCREENSHOTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if any(SCREENSHOTS.glob("*.png")):
        terminalreporter.write_line(f"Pictures of the landing page are in {SCREENSHOTS}")
