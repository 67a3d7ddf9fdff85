"""The builder's page: what it writes, what it refuses, and who may open it."""

import html
import re

from fastapi import FastAPI
from httpx import AsyncClient, Response

from db.engine import Database
from domain.money import Money
from referrals.access.console.roles import Role
from referrals.campaigns import views
from tests.api.bodies import campaign, publish_campaign, unique
from tests.api.console.signed_in import Operator, signed_in

_INPUT = re.compile(r'<input[^>]* name="([^"]+)" value="([^"]*)"')
_SELECT = re.compile(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', re.DOTALL)
_SELECTED = re.compile(r'<option value="([^"]*)" selected>')


def fields_of(page: Response) -> dict[str, str]:
    """Return what a browser would send of the form."""
    texts = {name: html.unescape(value) for name, value in _INPUT.findall(page.text)}
    chosen = {name: _SELECTED.findall(options) for name, options in _SELECT.findall(page.text)}
    return texts | {name: values[0] for name, values in chosen.items() if values}


async def propose(operator: Operator, slug: str, **changed: str) -> Response:
    path = f"/console/campaigns/{slug}/edit"
    fields = fields_of(await operator.opens(path)) | {"act": "propose", "reason": "a test"}
    return await operator.browser.post(path, data=fields | changed)


async def test_a_proposal_keeps_what_was_not_changed(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    async with database.reading() as session:
        before = await views.find_campaign(session, slug)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await propose(operator, slug, minimum="12.50")
    assert answer.status_code == 303, answer.text
    versions = (await client.get(f"/v1/campaigns/{slug}/versions")).json()["items"]
    assert before is not None
    assert [change["field"] for change in versions[1]["changes"]] == ["terms.minimum_deposit.minor"]
    assert versions[1]["status"] == "proposed"


async def test_a_form_that_is_older_than_the_newest_version_writes_nothing(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        assert (await propose(operator, slug, name="First")).status_code == 303
        answer = await propose(operator, slug, name="Second", based_on="1")
    assert answer.status_code == 422
    assert "Somebody wrote a version" in answer.text
    versions = (await client.get(f"/v1/campaigns/{slug}/versions")).json()["items"]
    assert len(versions) == 2


async def test_a_funded_budget_is_no_field_and_is_not_taken_from_the_form(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        assert "budget" not in fields_of(await operator.opens(f"/console/campaigns/{slug}/edit"))
        answer = await propose(operator, slug, budget="1.00", name="Another")
    assert answer.status_code == 303, answer.text


async def test_the_budget_of_a_draft_is_a_field(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    draft = campaign()
    assert (await client.post("/v1/campaigns", json=draft)).status_code == 201
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await propose(operator, draft["slug"], budget="123.45")
    assert answer.status_code == 303, answer.text
    async with database.reading() as session:
        found = await views.find_campaign(session, draft["slug"])
    assert found is not None
    assert found.budget == Money(12_345, "USD")


async def test_a_reason_is_asked_for(app: FastAPI, client: AsyncClient, database: Database) -> None:
    slug = await publish_campaign(client)
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        answer = await propose(operator, slug, reason=" ")
    assert answer.status_code == 422
    assert 'id="wrong-reason"' in answer.text


async def test_others_may_not_open_the_form(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    async with signed_in(app, database, role=Role.AUDITOR, name=unique("Otto")) as operator:
        assert (await operator.opens(f"/console/campaigns/{slug}/edit")).status_code == 403
        assert "Change the offer" not in (await operator.opens(f"/console/campaigns/{slug}")).text


async def test_an_ended_campaign_has_no_form(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    assert (await client.post(f"/v1/campaigns/{slug}/end")).status_code == 200
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        assert (await operator.opens(f"/console/campaigns/{slug}/edit")).status_code == 409


async def test_hostile_forms_are_answered_and_write_nothing(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    path = f"/console/campaigns/{slug}/edit"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        token = fields_of(await operator.opens(path))["csrf_token"]
        for odd in (
            {"act": "remove when.children.0.children.9"},
            {"rewards.0": "x", "limits": "y", "when": "z", "act": "add limits"},
            {"when.kind": "leaf", "when.field": "deposit.amount", "act": "group when"},
            {
                "when.kind": "all",
                "when.children.0.kind": "leaf",
                "when.children.0.children.0.a": "b",
            },
            {"act": "propose", "when.kind": "all", "reason": "r", "name": "\x00"},
            {"act": "propose", "rewards.0.shape": "by_jurisdiction", "ends_at": "9999-99-99"},
        ):
            answer = await operator.browser.post(path, data={"csrf_token": token, **odd})
            assert answer.status_code in {200, 422}, (odd, answer.text)
    versions = (await client.get(f"/v1/campaigns/{slug}/versions")).json()["items"]
    assert len(versions) == 1
