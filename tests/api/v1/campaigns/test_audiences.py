"""Audiences: who gets a code of a campaign that is not for everybody, and what others are told."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.api.bodies import assert_problem, campaign, create_code, publish_campaign, unique

URL = "/v1/campaigns"
VIPS = {"allow": ["vip", "gold"], "deny": ["staff"]}


async def ask(client: AsyncClient, slug: str, *segments: str, **changes: object) -> Response:
    body = {"player_id": unique("referrer"), "campaign": slug, "segments": list(segments)}
    return await client.post("/v1/codes", json={**body, **changes})


@pytest.mark.parametrize("segments", [("vip",), ("new", "gold")], ids=" ".join)
async def test_gives_a_code_to_a_player_of_an_allowed_segment(
    client: AsyncClient, segments: tuple[str, ...]
) -> None:
    slug = await publish_campaign(client, audience=VIPS)
    assert (await ask(client, slug, *segments)).status_code == 201


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ((), "It is only for players of these segments: gold, vip."),
        (("new", "VIP"), "It is only for players of these segments: gold, vip."),
        (("vip", "staff"), "It is not for players of the segment staff."),
    ],
    ids=["none", "others", "denied"],
)
async def test_tells_whom_the_campaign_is_for(
    client: AsyncClient, segments: tuple[str, ...], said: str
) -> None:
    slug = await publish_campaign(client, audience=VIPS)
    answer = await ask(client, slug, *segments)
    assert_problem(answer, 409, "not_in_audience")
    assert answer.json()["detail"] == said


async def test_a_deny_list_alone_lets_everybody_else_in(client: AsyncClient) -> None:
    slug = await publish_campaign(client, audience={"deny": ["staff"]})
    assert (await ask(client, slug)).status_code == 201
    assert (await ask(client, slug, "vip")).status_code == 201
    assert_problem(await ask(client, slug, "staff"), 409, "not_in_audience")


async def test_a_code_that_a_player_has_already_stays_theirs(client: AsyncClient) -> None:
    slug = await publish_campaign(client)
    player_id = unique("referrer")
    first = await ask(client, slug, player_id=player_id)
    again = campaign(slug=slug, audience=VIPS)
    assert (await client.put(f"{URL}/{slug}", json=again)).status_code == 200
    assert (await client.post(f"{URL}/{slug}/publish")).status_code == 200

    known = await ask(client, slug, "staff", player_id=player_id)
    assert (known.status_code, known.json()) == (200, first.json())
    assert_problem(await ask(client, slug), 409, "not_in_audience")


async def test_a_proposal_changes_the_audience_only_when_it_is_published(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    body = campaign(slug=slug, audience=VIPS)
    shown = (await client.put(f"{URL}/{slug}", json=body)).json()
    assert shown["audience"] == {"allow": [], "deny": []}
    versions = (await client.get(f"{URL}/{slug}/versions")).json()["items"]
    assert versions[1]["changes"] == [
        {"field": "audience.allow", "before": [], "after": ["gold", "vip"]},
        {"field": "audience.deny", "before": [], "after": ["staff"]},
    ]
    await create_code(client, slug)


@pytest.mark.parametrize(
    ("audience", "field"),
    [
        ({"allow": ["vip"], "deny": ["staff", "vip"]}, "audience.deny[1]"),
        ({"allow": ["a b"]}, "audience.allow.0"),
        ({"allow": "vip"}, "audience.allow"),
        ({"deny": ["s"] * 51}, "audience.deny"),
        ({"only": []}, "audience.only"),
    ],
    ids=["both", "shape", "no list", "too many", "unknown"],
)
async def test_refuses_an_audience_with_the_path_of_the_fault(
    client: AsyncClient, audience: dict[str, Any], field: str
) -> None:
    answer = await client.post(URL, json=campaign(audience=audience))
    assert_problem(answer, 422, "validation_failed", field)
