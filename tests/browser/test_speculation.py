"""A link that a page lets the browser load ahead of its visitor."""

import asyncio
from typing import Any, Final

from playwright.async_api import Browser, Route

from tests.browser.devices import DESKTOP
from tests.browser.visits import visit

RECOMMENDATION: Final = """
<!doctype html><title>Friends</title>
<script type="speculationrules">
{"prefetch": [{"source": "list", "urls": ["LINK"], "eagerness": "immediate"}]}
</script>
<a href="LINK">Join me</a>
"""
ENDED: Final = frozenset({"Ready", "Success", "Failure"})


async def test_a_prefetched_link_still_invites_its_visitor(browser: Browser, link: str) -> None:
    page_url = f"{link.partition('/r/')[0]}/recommendation"

    async def recommend(route: Route) -> None:
        body = RECOMMENDATION.replace("LINK", link)
        await route.fulfill(status=200, content_type="text/html", body=body)

    async with visit(browser, DESKTOP) as seen:
        await seen.page.route(page_url, recommend)
        statuses: asyncio.Queue[str] = asyncio.Queue()

        def note(update: dict[str, Any]) -> None:
            statuses.put_nowait(update["status"])

        session = await seen.page.context.new_cdp_session(seen.page)
        session.on("Preload.prefetchStatusUpdated", note)
        await session.send("Preload.enable")
        await seen.page.goto(page_url)
        async with asyncio.timeout(60):
            while await statuses.get() not in ENDED:
                pass
        await seen.page.get_by_role("link", name="Join me").click()
        await seen.page.wait_for_url(link)
        cookies = await seen.page.context.cookies(link)
    assert "referral_token" in {cookie["name"] for cookie in cookies}
