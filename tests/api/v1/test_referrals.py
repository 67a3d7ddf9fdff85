"""Referrals and their rewards as the API shows and pages them."""

from uuid import UUID

import pytest
from httpx import AsyncClient

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests.api.bodies import assert_problem, create_code, unique
from tests.api.staged_referrals import referral_at_stage


async def test_shows_a_referral_with_its_whole_story(
    client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.REWARDED)
    shown = (await client.get(f"/v1/referrals/{staged.referral_id}")).json()
    assert shown["stage"] == "REWARDED"
    assert (shown["referrer_id"], shown["referee_id"]) == (staged.referrer_id, staged.referee_id)
    assert shown["campaign"] == "default"
    assert shown["workflow_id"] == f"referral:{staged.referral_id}"
    assert shown["attribution"] == {
        "method": "referral_token",
        "confidence": 1.0,
        "candidates": [],
    }
    assert shown["assessment"] == {"score": 60, "verdict": "review", "reasons": ["shared_device"]}
    assert [step["stage"] for step in shown["timeline"]] == ["INVITED", "SIGNED_UP", "REWARDED"]
    (reward,) = shown["rewards"]
    assert (reward["status"], reward["amount"]) == ("ISSUED", {"minor": 1000, "currency": "USD"})
    (listed,) = (await client.get(f"/v1/rewards?player_id={staged.referrer_id}")).json()["items"]
    assert listed == reward


async def test_lists_referrals_by_side_stage_and_campaign(
    client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.SIGNED_UP)
    for query, found in (
        (f"player_id={staged.referrer_id}", 1),
        (f"player_id={staged.referrer_id}&role=referrer", 1),
        (f"player_id={staged.referrer_id}&role=referee", 0),
        (f"player_id={staged.referee_id}&role=referee", 1),
        (f"player_id={staged.referee_id}&stage=SIGNED_UP", 1),
        (f"player_id={staged.referee_id}&stage=HELD", 0),
        (f"player_id={staged.referee_id}&campaign=default", 1),
        (f"player_id={staged.referee_id}&campaign=other", 0),
    ):
        page = (await client.get(f"/v1/referrals?{query}")).json()
        assert [item["referral_id"] for item in page["items"]] == [str(staged.referral_id)] * found
        assert all("timeline" not in item for item in page["items"])


async def test_pages_follow_each_other_without_a_gap(client: AsyncClient) -> None:
    code = await create_code(client)
    made = []
    for _ in range(5):
        click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
        made.append((await client.post("/v1/clicks", json=click)).json()["referral_id"])
    referrer = (await client.get(f"/v1/referrals/{made[0]}")).json()["referrer_id"]
    seen, cursor = [], None
    while True:
        query = {"player_id": referrer, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/referrals", params=query)).json()
        seen += [item["referral_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5"])
@pytest.mark.parametrize("path", ["referrals", "rewards", "reviews", "campaigns"])
async def test_a_page_has_1_to_200_items(client: AsyncClient, path: str, limit: str) -> None:
    answer = await client.get(f"/v1/{path}?limit={limit}")
    assert_problem(answer, 422, "validation_failed", "limit")


@pytest.mark.parametrize("cursor", ["x", "eA", "MjAyNi0wMS0wMXw", "%00", "", "a" * 300])
@pytest.mark.parametrize("path", ["referrals", "rewards", "reviews"])
async def test_refuses_a_cursor_that_it_never_gave(
    client: AsyncClient, path: str, cursor: str
) -> None:
    answer = await client.get(f"/v1/{path}?cursor={cursor}")
    assert_problem(answer, 422, "validation_failed", "cursor")


async def test_an_unknown_referral_is_not_found(client: AsyncClient) -> None:
    assert_problem(await client.get(f"/v1/referrals/{UUID(int=7)}"), 404, "unknown_referral")
