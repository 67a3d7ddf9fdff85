"""Tests of publishing at the console: what is published is what the page showed."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from referrals.access.console.roles import Role
from tests.api.bodies import campaign, publish_campaign, unique
from tests.api.console.signed_in import signed_in

FORM = re.compile(
    r'<form class="form" method="post" action="[^"]*/publish">(.*?)</form>', re.DOTALL
)
HIDDEN = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')


def publication_on(page: str) -> dict[str, str]:
    """Return what a browser sends with the form to publish."""
    form = FORM.search(page)
    assert form is not None, page
    return {**dict(HIDDEN.findall(form[1])), "reason": "as agreed"}


async def test_a_proposal_that_was_replaced_after_the_page_was_opened_is_not_published(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    link, page = f"/v1/campaigns/{slug}", f"/console/campaigns/{slug}"
    await client.put(link, json=campaign(slug=slug, name="Read"))
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        seen = publication_on((await operator.opens(page)).text)
        await client.put(link, json=campaign(slug=slug, name="Slipped in"))
        refused = await operator.browser.post(f"{page}/publish", data=seen)
        assert refused.status_code == 409, refused.text
        assert "This changed since you read it" in refused.text
        assert "Version 3 waits" in refused.text
        assert (await client.get(link)).json()["version"] == 1

        seen = publication_on((await operator.opens(page)).text)
        assert (await operator.browser.post(f"{page}/publish", data=seen)).status_code == 303
    assert (await client.get(link)).json()["name"] == "Slipped in"


@pytest.mark.parametrize("version", ["", "two", "-1", "1" * 10, "\u0661"])
async def test_a_form_without_the_version_that_it_shows_publishes_nothing(
    app: FastAPI, client: AsyncClient, database: Database, version: str
) -> None:
    slug = unique("draft")
    assert (await client.post("/v1/campaigns", json=campaign(slug=slug))).status_code == 201
    page = f"/console/campaigns/{slug}"
    async with signed_in(app, database, role=Role.MARKETER, name=unique("Mara")) as operator:
        sent = publication_on((await operator.opens(page)).text) | {"version": version}
        refused = await operator.browser.post(f"{page}/publish", data=sent)
        assert refused.status_code == 422, refused.text
        assert "Open the page again" in refused.text
    assert (await client.get(f"/v1/campaigns/{slug}")).json()["status"] == "draft"
