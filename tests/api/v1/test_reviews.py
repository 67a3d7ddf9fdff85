"""Reviews, decided once by a person."""

from uuid import UUID

from httpx import AsyncClient

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests.api.bodies import assert_problem
from tests.api.staged_referrals import referral_at_stage


async def test_a_review_is_decided_once(client: AsyncClient, database: Database) -> None:
    staged = await referral_at_stage(client, database, to=Stage.HELD)
    balance = (await client.get(f"/v1/players/{staged.referrer_id}/balance")).json()
    assert balance["held"] == [{"minor": 1000, "currency": "USD"}]
    open_ones = (await client.get("/v1/reviews?status=open&limit=200")).json()["items"]
    (review,) = [one for one in open_ones if one["referral_id"] == str(staged.referral_id)]
    assert (review["score"], review["reasons"], review["decision"]) == (60, ["shared_device"], None)
    url = f"/v1/reviews/{review['review_id']}/decision"
    approve = {"decision": "approve", "reason": "a family"}
    first = await client.post(url, json=approve)
    again = await client.post(url, json=approve | {"reason": "still a family"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["decision"] == "approve"
    assert again.json() == first.json()
    other = approve | {"decision": "reject"}
    assert_problem(await client.post(url, json=other), 409, "already_decided")


async def test_refuses_an_invalid_decision(client: AsyncClient) -> None:
    url = f"/v1/reviews/{UUID(int=7)}/decision"
    good = {"decision": "approve", "reason": "r"}
    assert_problem(await client.post(url, json=good), 404, "unknown_review")
    for change, field in (
        ({"decision": "maybe"}, "decision"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reviewer": "me"}, "reviewer"),
    ):
        refused = await client.post(url, json=good | change)
        assert_problem(refused, 422, "validation_failed", field)
