"""A new campaign in the console: what the form writes, what it refuses, and who may open it."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from db.engine import Database
from domain.campaigns.terms import CampaignStatus
from domain.money import Money
from referrals.access.console.roles import Role
from referrals.campaigns import views
from referrals.campaigns.views import CampaignView
from tests.api.bodies import publish_campaign, unique
from tests.api.console.builder.test_routes import fields_of
from tests.api.console.signed_in import Operator, signed_in

PATH = "/console/new-campaign"
TYPED = {
    "name": "Summer offer",
    "budget": "5,000",
    "destination": "https://book.example/join",
    "starts_at": "2026-06-01T00:00",
    "rewards.0.flat": "12.50",
    "reason": "the summer",
}


async def draft(operator: Operator, **typed: str) -> Response:
    fields = fields_of(await operator.opens(PATH)) | TYPED | {"act": "propose"}
    return await operator.browser.post(PATH, data=fields | typed)


async def found(database: Database, slug: str) -> CampaignView | None:
    async with database.reading() as session:
        return await views.find_campaign(session, slug)


async def test_a_form_with_a_name_a_budget_and_a_reward_is_a_draft(
    app: FastAPI, database: Database
) -> None:
    slug = unique("summer")
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await draft(operator, slug=slug)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == f"/console/campaigns/{slug}?done=draft"
    written = await found(database, slug)
    assert written is not None
    assert (written.status, written.version) == (CampaignStatus.DRAFT, 1)
    assert (written.budget, written.destination) == (Money(500_000, "USD"), TYPED["destination"])
    assert written.starts_at.isoformat() == "2026-06-01T00:00:00+00:00"
    assert written.terms.rules.rewards or written.terms.referrer_reward == Money(1250, "USD")


async def test_amounts_are_in_the_currency_that_is_typed(app: FastAPI, database: Database) -> None:
    slug = unique("sommer")
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await draft(operator, slug=slug, currency="eur", minimum="20")
        assert answer.status_code == 303, answer.text
    written = await found(database, slug)
    assert written is not None
    assert written.budget == Money(500_000, "EUR")
    assert written.terms.minimum_deposit == Money(2000, "EUR")


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("slug", "", "Fill in this field"),
        ("slug", "No Slug", ""),
        ("name", " ", "Fill in this field"),
        ("budget", "", "Fill in this field"),
        ("budget", "a lot", "Write an amount in USD, such as 25.00 or 1,000.00: a point"),
        ("currency", "dollars", "Write the three letters of a currency, such as USD"),
        ("destination", "http://book.example", ""),
        ("time_zone", "Mars/Olympus", ""),
        ("reason", "", "Fill in this field"),
    ],
)
async def test_what_is_refused_stands_beside_its_field(
    app: FastAPI, database: Database, field: str, typed: str, message: str
) -> None:
    slug = unique("summer")
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await draft(operator, **{"slug": slug, field: typed})
    assert answer.status_code == 422
    assert f'id="wrong-{field}">{message}' in answer.text
    assert await found(database, slug) is None


async def test_a_slug_that_is_taken_is_refused_and_the_other_campaign_stays(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    before = await found(database, slug)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await draft(operator, slug=slug)
    assert answer.status_code == 422
    assert 'id="wrong-slug">Another campaign has this slug already' in answer.text
    assert await found(database, slug) == before


async def test_only_who_changes_campaigns_opens_the_form(app: FastAPI, database: Database) -> None:
    async with signed_in(app, database, role=Role.AUDITOR, name=unique("Otto")) as operator:
        assert (await operator.opens(PATH)).status_code == 403
        assert "New campaign" not in (await operator.opens("/console/campaigns")).text
