"""Publications that name the version that was read."""

import pytest
from httpx import AsyncClient

from tests.api.bodies import assert_problem, campaign, publish_campaign, unique

URL = "/v1/campaigns"


async def test_a_proposal_that_was_replaced_while_it_was_read_is_not_published(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    link = f"{URL}/{slug}"
    await client.put(link, json=campaign(slug=slug, name="Read"))
    await client.put(link, json=campaign(slug=slug, name="Slipped in"))
    refused = await client.post(f"{link}/publish", json={"version": 2})
    assert_problem(refused, 409, "version_changed", "version")
    assert "Version 3 " in refused.json()["detail"]
    live = (await client.get(link)).json()
    assert (live["version"], live["proposal"]) == (1, {"version": 3})

    published = await client.post(f"{link}/publish", json={"version": 3})
    assert published.json()["name"] == "Slipped in"
    again = await client.post(f"{link}/publish", json={"version": 3})
    assert_problem(again, 409, "invalid_transition")


async def test_a_draft_that_was_rewritten_while_it_was_read_is_not_published(
    client: AsyncClient,
) -> None:
    body = campaign(slug=unique("draft"))
    link = f"{URL}/{body['slug']}"
    await client.post(URL, json=body)
    await client.put(link, json=body | {"name": "Rewritten"})
    refused = await client.post(f"{link}/publish", json={"version": 1})
    assert_problem(refused, 409, "version_changed", "version")
    assert (await client.get(link)).json()["status"] == "draft"
    assert (await client.post(f"{link}/publish", json={"version": 2})).status_code == 200


@pytest.mark.parametrize("version", [0, -1, "2", 1.5, True, 2**31], ids=repr)
async def test_refuses_to_publish_what_is_not_the_number_of_a_version(
    client: AsyncClient, version: object
) -> None:
    answer = await client.post(f"{URL}/default/publish", json={"version": version})
    assert_problem(answer, 422, "validation_failed", "version")
