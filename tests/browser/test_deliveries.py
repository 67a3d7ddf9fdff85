"""Deliveries of webhooks on the console's page, in a browser."""

from datetime import UTC, datetime
from uuid import uuid4

from playwright.async_api import Browser, expect
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow, WebhookDelivery, WebhookRow
from referrals.access.console.roles import Role
from referrals.webhooks.delivery_views import DeliveryStatus
from tests.api.bodies import unique
from tests.browser.console import console_of
from tests.browser.devices import DESKTOP


async def test_an_admin_sends_a_failed_delivery_again_and_an_auditor_may_not(
    browser: Browser, site: str, database: Database
) -> None:
    webhook = WebhookRow(
        id=uuid4(), url="https://book.example/hook", types=["RewardGranted"], owner=unique("owner")
    )
    failed = WebhookDelivery(
        id=uuid4(),
        webhook_id=webhook.id,
        event_id=uuid4(),
        type="RewardGranted",
        key=unique("key"),
        status=DeliveryStatus.FAILED,
        attempts=12,
        next_attempt_at=datetime.now(UTC),
        finished_at=datetime.now(UTC),
    )
    async with database.transaction() as session:
        session.add(webhook)
        await session.flush()
        session.add(failed)
    path = f"{site}/console/operations/webhooks/{webhook.id}"
    async with console_of(
        browser, DESKTOP, site, database, role=Role.AUDITOR, name=unique("Otto")
    ) as opened:
        await opened.page.goto(path)
        await expect(opened.page.get_by_role("table")).to_be_visible()
        await expect(opened.page.get_by_role("button", name="Send again")).to_have_count(0)
    async with console_of(
        browser, DESKTOP, site, database, role=Role.ADMIN, name=unique("Ada")
    ) as opened:
        page = opened.page
        await page.goto(path)
        await page.get_by_label("Reason to send").fill("their server is back")
        await page.get_by_role("button", name="Send again").click()
        await page.wait_for_url("**done=retry")
    async with database.reading() as session:
        again = await session.get_one(WebhookDelivery, failed.id)
        query = select(AuditRow.reason).where(AuditRow.subject == f"webhook:{webhook.id}")
        reasons = (await session.scalars(query)).all()
    assert (again.status, reasons) == (DeliveryStatus.PENDING, ["their server is back"])
