"""Tests of the console in a browser: each role's main task, from the sign-in to the database."""

import os
from pathlib import Path

import pytest
from httpx import AsyncClient
from playwright.async_api import Browser, expect
from sqlalchemy import select

from db.engine import Database
from db.tables import (
    AuditRow,
    Campaign,
    CaseRow,
    Reward,
)
from domain.campaigns.terms import CampaignStatus
from domain.intake.facts import Choice
from referrals.access.console.roles import Role
from referrals.campaigns import switches
from tests.activities.referral_acts import ReferralActs
from tests.api.bodies import publish_campaign, unique
from tests.api.held_rewards import held_for_review
from tests.api.v1.cases.steps import filed_case
from tests.browser.console import console_of, is_wider_than_screen, violations
from tests.browser.devices import DESKTOP, IPHONE, Device

PAGES = {
    "overview": "/console?period=7+days",
    "queue": "/console/cases?status=",
    "case": "/console/cases/{case}",
    "search": "/console/search?q={referrer}",
    "referrals": "/console/referrals",
    "referral": "/console/referrals/{referral}",
    "player": "/console/players/{referrer}",
    "campaigns": "/console/campaigns",
    "campaign": "/console/campaigns/default",
    "new-campaign": "/console/new-campaign",
    "explanation": "/console/campaigns/{campaign}/explain?referral={referral}",
    "simulation": "/console/campaigns/{campaign}/simulate?from=2026-01-01&to=2027-01-01",
    "switches": "/console/switches",
    "ledger": "/console/ledger?player={referrer}&account=held",
    "evidence": "/console/ledger/rewards/{reward}",
    "audit": "/console/ledger/audit",
    "operations": "/console/operations",
    "refusal": "/console/cases/00000000-0000-0000-0000-000000000000",
}

TWO_DAYS = """() => {
  const head = "<th>Day</th><th>Invitations</th><th>Signups</th>";
  const row = (day) => `<tr><td>${day}</td><td>1,200</td><td>3</td></tr>`;
  document.getElementById("funnel").innerHTML =
    `<table><thead><tr>${head}</tr></thead>` +
    `<tbody>${row("2026-03-01")}${row("2026-03-02")}</tbody></table>`;
  document.querySelector(".chart").hidden = false;
  drawCharts();
}"""
"""Puts two days into the folded table of the overview, and draws the chart once more."""
LOOKS = [(DESKTOP, "light"), (IPHONE, "dark")]
if os.environ.get("CONSOLE_LOOKS") == "all":
    LOOKS += [(DESKTOP, "dark"), (IPHONE, "light")]


@pytest.fixture(scope="session")
async def held(database: Database) -> ReferralActs:
    """Hold a reward that stays in the queue, for pages to show."""
    acts, _ = await held_for_review(database)
    return acts


@pytest.fixture(scope="session")
async def addresses(database: Database, held: ReferralActs) -> dict[str, str]:
    async with database.reading() as session:
        case_id = await filed_case(database, held.row.id)
        reward_id = await session.scalar(select(Reward.id).where(Reward.referral_id == held.row.id))
    known = {
        "case": case_id,
        "referrer": held.row.referrer_id,
        "referral": held.row.id,
        "campaign": held.row.campaign_slug,
        "reward": reward_id,
    }
    return {name: path.format_map(known) for name, path in PAGES.items()}


@pytest.mark.parametrize(
    ("device", "scheme"),
    LOOKS,
    ids=lambda value: value.name if isinstance(value, Device) else value,
)
async def test_every_page_can_be_read_by_everybody(  # noqa: PLR0917 - fixtures, by name
    browser: Browser,
    site: str,
    database: Database,
    addresses: dict[str, str],
    screenshots: Path,
    device: Device,
    scheme: str,
) -> None:
    found = {}
    async with console_of(
        browser, device, site, database, role=Role.ADMIN, name=unique("Ada"), color_scheme=scheme
    ) as opened:
        for name, path in addresses.items():
            await opened.page.goto(f"{site}{path}")
            await opened.screenshot(screenshots / f"console-{name}-{device.name}-{scheme}.png")
            if broken := await violations(opened.page):
                found[name] = broken
            if await is_wider_than_screen(opened.page):
                found[f"{name} is wider than the screen"] = []
        # A refusal is the answer that the last page is about.
        opened.console_messages[:] = [text for text in opened.console_messages if "404" not in text]
    assert found == {}


async def test_a_reviewer_approves_a_case(browser: Browser, site: str, database: Database) -> None:
    acts, _ = await held_for_review(database)
    case_id, name = await filed_case(database, acts.row.id), unique("Rita")
    async with console_of(
        browser, DESKTOP, site, database, role=Role.REVIEWER, name=name
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/search?q={acts.row.referrer_id}")
        await page.goto(f"{site}/console/cases/{case_id}")
        await page.get_by_label("Reason, for the audit").fill("a couple with two accounts")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_role("status")).to_contain_text("recorded")
    async with database.reading() as session:
        case = await session.get_one(CaseRow, case_id)
    assert (case.decision, case.decided_by, case.reason) == (
        Choice.APPROVE,
        name,
        "a couple with two accounts",
    )


async def test_a_reviewer_may_not_decide_about_their_own_referral(
    browser: Browser, site: str, database: Database
) -> None:
    acts, _ = await held_for_review(database)
    case_id = await filed_case(database, acts.row.id)
    async with console_of(
        browser, DESKTOP, site, database, role=Role.REVIEWER, name=acts.row.referrer_id
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/cases/{case_id}")
        await page.get_by_label("Reason, for the audit").fill("it is mine")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("This is your own referral")
        opened.console_messages.clear()
    async with database.reading() as session:
        assert (await session.get_one(CaseRow, case_id)).decision is None


async def test_a_marketer_pauses_a_campaign_switches_it_off_and_cannot_open_the_queue(
    browser: Browser, site: str, client: AsyncClient, database: Database
) -> None:
    slug, name = await publish_campaign(client), unique("Mara")
    async with console_of(browser, IPHONE, site, database, role=Role.MARKETER, name=name) as opened:
        page = opened.page
        await page.goto(f"{site}/console/campaigns/{slug}")
        await page.get_by_text("Pause it", exact=True).click()
        await page.get_by_label("Reason to pause it").fill("the offer is wrong")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("status")).to_contain_text("paused")
        await page.get_by_text("Kill switch", exact=True).click()
        await page.get_by_label("Reason to switch it off").fill("it pays too much")
        await page.get_by_role("button", name="Switch off").click()
        await expect(page.get_by_role("status")).to_contain_text("The switch is off")
        await page.goto(f"{site}/console/cases")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Not part of your role")
        opened.console_messages.clear()
    async with database.reading() as session:
        campaign = await session.scalar(select(Campaign).where(Campaign.slug == slug))
        audit = select(AuditRow).where(AuditRow.subject == f"campaign:{slug}")
        done = [(row.actor, row.action, row.reason) for row in await session.scalars(audit)]
        off = await switches.find_off(session, [f"campaign:{slug}"])
    assert campaign is not None
    assert campaign.status is CampaignStatus.PAUSED
    assert (name, "campaign.pause", "the offer is wrong") in done
    assert list(off) == [f"campaign:{slug}"]


async def test_support_finds_out_why_by_one_paste(
    browser: Browser, site: str, database: Database, held: ReferralActs
) -> None:
    async with console_of(
        browser, DESKTOP, site, database, role=Role.SUPPORT, name=unique("Sue")
    ) as opened:
        page = opened.page
        await page.keyboard.press("/")
        await page.keyboard.type(str(held.row.id))
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/console/referrals/{held.row.id}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Held")
        await expect(page.get_by_role("main")).to_contain_text("instrument")


async def test_an_auditor_follows_a_reward_and_changes_nothing(
    browser: Browser, site: str, database: Database, addresses: dict[str, str]
) -> None:
    async with console_of(
        browser, DESKTOP, site, database, role=Role.AUDITOR, name=unique("Otto")
    ) as opened:
        page = opened.page
        await page.goto(f"{site}{addresses['evidence']}")
        for step in ("events that earned it", "promise", "assessment", "entries of its money"):
            await expect(page.get_by_role("heading", name=step)).to_be_visible()
        await page.goto(f"{site}{addresses['case']}")
        await expect(page.get_by_role("button", name="Approve")).to_have_count(0)


async def test_the_queue_is_worked_on_by_keyboard(
    browser: Browser, site: str, database: Database, held: ReferralActs
) -> None:
    case_id = await filed_case(database, held.row.id)
    async with console_of(
        browser, DESKTOP, site, database, role=Role.REVIEWER, name=unique("Rita")
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/cases?player={held.row.referrer_id}")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/console/cases/{case_id}")
        await page.keyboard.press("e")
        await page.keyboard.type("seen")
        await expect(page.get_by_label("Reason, for the audit")).to_have_value("seen")
        await page.keyboard.press("Escape")
        await page.keyboard.press("g")
        await page.keyboard.press("r")
        await page.wait_for_url("**/console/referrals")


async def test_the_chart_is_drawn_from_a_table_that_is_folded_away(
    browser: Browser, site: str, database: Database
) -> None:
    async with console_of(
        browser, DESKTOP, site, database, role=Role.MARKETER, name=unique("Mara")
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console?period=90+days")
        await page.evaluate(TWO_DAYS)
        await expect(page.locator(".chart canvas")).to_be_visible()
        await expect(page.locator("#funnel")).to_be_hidden()


async def test_filters_stay_in_the_address(
    browser: Browser, site: str, database: Database, held: ReferralActs
) -> None:
    async with console_of(
        browser, DESKTOP, site, database, role=Role.SUPPORT, name=unique("Sue")
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/referrals")
        await page.get_by_label("Player", exact=True).fill(held.row.referrer_id)
        await page.get_by_label("Stage").select_option("HELD")
        await page.wait_for_url(f"**player={held.row.referrer_id}**")
        await expect(page.locator("tr[data-row]")).to_have_count(1)
        await page.reload()
        await expect(page.locator("tr[data-row]")).to_have_count(1)
