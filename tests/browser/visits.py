"""A visit by one person: a browser of their own, and all its requests and errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route

from tests.browser.devices import Device


@dataclass(frozen=True, slots=True)
class Visit:
    page: Page
    requested: list[str] = field(default_factory=list)
    console_messages: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", lambda message: self.console_messages.append(message.text))
        self.page.on("pageerror", lambda fault: self.console_messages.append(fault.message))

    async def screenshot(self, path: Path) -> None:
        await self.page.screenshot(path=path, full_page=True)

    async def link_hosts(self) -> set[str]:
        links = self.page.get_by_role("link")
        return set(await links.evaluate_all("links => links.map(link => link.hostname)"))

    async def stub_site(self, url: str) -> None:
        """Answer in place of a site that a test must not reach."""

        async def answer(route: Route) -> None:
            await route.fulfill(status=200, content_type="text/html", body="<title>There</title>")

        await self.page.route(url, answer)

    async def clipboard_text(self) -> str:
        text: str = await self.page.evaluate("navigator.clipboard.readText()")
        return text


@asynccontextmanager
async def visit(browser: Browser, device: Device, **options: Any) -> AsyncIterator[Visit]:  # noqa: ANN401
    """Open a browser context, with options of Playwright such as `locale` and `color_scheme`."""
    context = await browser.new_context(
        user_agent=device.user_agent,
        viewport={"width": device.width, "height": device.height},
        device_scale_factor=2,
        is_mobile=device.is_phone,
        has_touch=device.is_phone,
        **options,
    )
    started = Visit(await context.new_page())
    started.listen()
    try:
        yield started
    finally:
        await context.close()
