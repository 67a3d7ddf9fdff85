"""Tests of the builder in a browser: a marketer builds an offer, a second person publishes it."""

from pathlib import Path
from typing import Final

from httpx import AsyncClient
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow, Campaign
from domain.campaigns.amounts.amount import Tier, Tiered
from domain.campaigns.conditions.fields import Operator
from domain.campaigns.conditions.tree import AllOf, AnyOf, Leaf
from domain.campaigns.terms import CampaignStatus
from domain.money import Money
from referrals.access.console.roles import Role
from referrals.campaigns import views
from referrals.campaigns.views import CampaignView
from tests.api.bodies import publish_campaign, unique
from tests.browser.console import console_of, is_wider_than_screen, violations
from tests.browser.devices import DESKTOP, IPHONE


async def test_a_marketer_builds_an_offer_that_a_second_person_publishes(
    browser: Browser, site: str, client: AsyncClient, database: Database, screenshots: Path
) -> None:
    slug, writer, publisher = await publish_campaign(client), unique("Mara"), unique("Max")
    async with console_of(
        browser, IPHONE, site, database, role=Role.MARKETER, name=writer, color_scheme="dark"
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/campaigns/{slug}")
        await page.get_by_role("link", name="Change the offer").click()
        await _build(page)
        await opened.screenshot(screenshots / "console-builder-phone-dark.png")
        # A bar that stays on top covers what is scrolled below it.
        await page.evaluate("() => scrollTo(0, 0)")
        assert await violations(page) == []
        assert not await is_wider_than_screen(page)
        await page.get_by_label("Reason, for the audit").fill("bets on New Jersey")
        await page.get_by_role("button", name="Propose this version").click()
        await expect(page.get_by_role("status")).to_contain_text("Another person publishes it")
    async with database.reading() as session:
        live = await views.find_campaign(session, slug)
    assert live is not None
    assert (live.version, live.proposed_version, live.terms.rules.when) == (1, 2, None)
    async with console_of(
        browser, DESKTOP, site, database, role=Role.MARKETER, name=publisher
    ) as opened:
        await opened.page.goto(f"{site}/console/campaigns/{slug}")
        await opened.page.get_by_label("Reason to publish it").fill("as agreed")
        await opened.page.get_by_role("button", name="Publish").click()
        await expect(opened.page.get_by_role("status")).to_contain_text("live")
    async with database.reading() as session:
        now_live = await views.find_campaign(session, slug)
        actions = select(AuditRow).where(AuditRow.subject == f"campaign:{slug}")
        done = {(row.actor, row.action, row.reason) for row in await session.scalars(actions)}
    assert now_live is not None
    assert now_live.version == 2
    assert now_live.terms.rules.when == AllOf(
        (
            Leaf("deposit.amount", Operator.GTE, Money(2500, "USD")),
            AnyOf((Leaf("referee.jurisdiction", Operator.IN, ("US-NJ", "US-PA")),)),
        )
    )
    assert now_live.terms.rules.limits[0].rewards == 5
    assert (writer, "campaign.revise", "bets on New Jersey") in done
    assert (publisher, "campaign.replace", "as agreed") in done


async def test_the_builder_works_by_keyboard_and_shows_what_is_refused_beside_its_field(
    browser: Browser, site: str, client: AsyncClient, database: Database, screenshots: Path
) -> None:
    slug = await publish_campaign(client)
    async with console_of(
        browser, DESKTOP, site, database, role=Role.MARKETER, name=unique("Mara")
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/campaigns/{slug}/edit")
        await page.get_by_role("button", name="Add conditions").focus()
        await page.keyboard.press("Enter")
        value = page.get_by_label("Value")
        await expect(value).to_be_visible()
        await value.focus()
        await page.keyboard.type("a lot")
        await page.get_by_label("Reason, for the audit").focus()
        await page.keyboard.type("a try")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("Nothing was written")
        await expect(value).to_have_value("a lot")
        await expect(value).to_have_accessible_description(
            "Write an amount in USD, such as 25.00 or 1,000.00: a point before the decimals, commas"
            " only between thousands"
        )
        await opened.screenshot(screenshots / "console-builder-refused.png")
        assert await violations(page) == []
        opened.console_messages[:] = [one for one in opened.console_messages if "422" not in one]
    async with database.reading() as session:
        row = await session.scalar(select(Campaign).where(Campaign.slug == slug))
    assert row is not None
    assert row.proposed_version is None


async def test_a_marketer_drafts_a_campaign_that_may_not_be_published_by_the_same_person(
    browser: Browser, site: str, client: AsyncClient, database: Database, screenshots: Path
) -> None:
    taken, slug, writer = await publish_campaign(client), unique("summer"), unique("Mara")
    async with console_of(
        browser, DESKTOP, site, database, role=Role.MARKETER, name=writer
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/campaigns")
        await page.get_by_role("link", name="New campaign").click()
        await _write_offer(page, taken)
        await page.get_by_role("button", name="Save the draft").click()
        await expect(page.get_by_label("Slug, which stays")).to_have_accessible_description(
            "Another campaign has this slug already"
        )
        await opened.screenshot(screenshots / "console-new-campaign-refused.png")
        assert await violations(page) == []
        await page.get_by_label("Slug, which stays").fill(slug)
        await page.get_by_role("button", name="Save the draft").click()
        await expect(page.get_by_role("status")).to_contain_text("The draft is written")
        await page.get_by_label("Reason to publish it").fill("at once")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(
            "Another person has to do this"
        )
        opened.console_messages.clear()
    async with database.reading() as session:
        row = await session.scalar(select(Campaign).where(Campaign.slug == slug))
        drafted = await views.find_campaign(session, slug)
        actions = select(AuditRow).where(AuditRow.subject == f"campaign:{slug}")
        done = [(row.actor, row.action, row.reason) for row in await session.scalars(actions)]
    assert row is not None
    assert drafted is not None
    assert (row.status, row.currency) == (CampaignStatus.DRAFT, "USD")
    assert drafted.budget == Money(500_000, "USD")
    assert [tier.first for tier in _tiers(drafted)] == [1, 6]
    assert done == [(writer, "campaign.create", "for the summer")]


async def test_a_choice_made_as_soon_as_the_form_is_drawn_anew_is_heard(
    browser: Browser, site: str, client: AsyncClient, database: Database
) -> None:
    slug, writer = await publish_campaign(client), unique("Mara")
    async with console_of(
        browser, DESKTOP, site, database, role=Role.MARKETER, name=writer
    ) as opened:
        page = opened.page
        await page.goto(f"{site}/console/campaigns/{slug}/edit")
        await page.evaluate(_CHOOSE_AT_ONCE)
        await page.get_by_role("button", name="Add conditions").click()
        await expect(page.get_by_label("Field")).to_have_value("referee.jurisdiction")
        await expect(page.get_by_label("Comparison")).not_to_contain_text("is more than")


_CHOOSE_AT_ONCE: Final = """() => new MutationObserver((_, observer) => {
    const field = document.querySelector("#builder select[name$='.field']");
    if (field === null) return;
    observer.disconnect();
    field.value = "referee.jurisdiction";
    field.dispatchEvent(new Event("change", { bubbles: true }));
}).observe(document.body, { childList: true, subtree: true })"""


async def _write_offer(page: Page, slug: str) -> None:
    await page.get_by_label("Name", exact=True).fill("Summer offer")
    await page.get_by_label("Slug, which stays").fill(slug)
    await page.get_by_label("Budget, USD").fill("5,000")
    await page.get_by_label("Its links lead to").fill("https://book.example/join")
    await page.get_by_label("Amount", exact=True).select_option("tiers")
    await page.get_by_role("button", name="Add a tier").click()
    await expect(page.get_by_label("From friend")).to_have_count(2)
    for nth, (first, amount) in enumerate((("1", "10"), ("6", "15"))):
        await page.get_by_label("From friend").nth(nth).fill(first)
        await page.get_by_label("USD", exact=True).nth(nth).fill(amount)
    await page.get_by_label("Reason, for the audit").fill("for the summer")


def _tiers(view: CampaignView) -> tuple[Tier, ...]:
    amount = view.terms.rules.rewards[0].amount
    assert isinstance(amount, Tiered)
    return amount.tiers


async def _build(page: Page) -> None:
    await page.get_by_role("button", name="Add conditions").click()
    await page.get_by_label("Value").fill("25")
    await page.get_by_role("button", name="Add a group", exact=True).click()
    second = page.get_by_role("group", name="Condition 2.1")
    await second.get_by_label("Field").select_option("referee.jurisdiction")
    await expect(second.get_by_label("Comparison")).not_to_contain_text("is more than")
    await second.get_by_label("Comparison").select_option("in")
    await expect(second.get_by_label("Value")).to_have_attribute(
        "placeholder", "ISO 3166, such as US-NJ; several with commas"
    )
    await second.get_by_label("Value").fill("us-nj, US-PA")
    await page.get_by_role("button", name="Add a limit").click()
    await page.get_by_label("Rewards at most").fill("5")
    await page.get_by_role("button", name="Say it again").click()
    await expect(page.get_by_role("region", name="In words")).to_contain_text(
        "referee jurisdiction is one of US-NJ, US-PA"
    )
