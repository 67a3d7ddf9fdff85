"""Reviews, decided once by a person."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from httpx import AsyncClient

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import LATER
from tests.api.bodies import assert_problem
from tests.api.held_rewards import held_for_review, open_review
from tests.api.staged_referrals import referral_at_stage
from tests.builders import TERMS, chargeback, deposit
from tests.fixtures.database_activity import recorded_statements


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


async def test_a_reason_that_masks_make_too_long_decides_nothing(
    client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.HELD)
    open_ones = (await client.get("/v1/reviews?status=open&limit=200")).json()["items"]
    (review,) = [one for one in open_ones if one["referral_id"] == str(staged.referral_id)]
    url = f"/v1/reviews/{review['review_id']}/decision"
    refused = await client.post(url, json={"decision": "approve", "reason": "a@b.co " * 71})
    assert_problem(refused, 422, "validation_failed", "reason")
    approve = {"decision": "approve", "reason": "a@b.co " * 60}
    assert (await client.post(url, json=approve)).status_code == 200


async def test_a_reviewer_sees_whom_and_what_it_is_about(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await held_for_review(database)

    review = await open_review(client, acts)

    row = await acts.stored_row()
    assert (review["referrer_id"], review["referee_id"]) == (row.referrer_id, row.referee_id)
    assert (review["campaign"], review["attempt"], review["round"]) == (row.campaign_slug, 1, 1)
    assert review["amount"] == {"minor": 1000, "currency": "USD"}
    assert review["assessment_id"] == str(row.assessment_id)
    card = next(
        link for link in review["evidence"]["links"] if link["kind"] == "payment_instrument"
    )
    assert (review["evidence"]["version"], card["is_shared"], card["is_hard"]) == (2, True, True)


async def test_a_review_is_due_a_review_period_after_it_was_opened_or_escalated(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await held_for_review(database)
    opened = await open_review(client, acts)
    await acts.rewards.resolve_hold(await acts.act_request(at=LATER + timedelta(days=4)))
    escalated = await open_review(client, acts)

    assert escalated["escalated_at"]
    assert due_after(opened, "opened_at") == TERMS.review_period
    assert due_after(escalated, "escalated_at") == TERMS.review_period


async def test_another_deposit_is_reviewed_in_another_round_with_its_own_evidence(
    client: AsyncClient, database: Database
) -> None:
    acts, paid = await held_for_review(database)
    first = await open_review(client, acts)
    await acts.receives(chargeback(paid), deposit(acts.referee_id, at=LATER - timedelta(minutes=1)))
    await acts.wake()

    second = await open_review(client, acts)

    assert (second["attempt"], second["round"]) == (2, 2)
    assert second["review_id"] != first["review_id"]
    assert second["assessment_id"] != first["assessment_id"]


async def test_a_page_of_reviews_costs_as_many_statements_as_one(
    client: AsyncClient, database: Database
) -> None:
    counts = []
    for limit in (1, 2):
        await held_for_review(database)
        with recorded_statements(database) as statements:
            page = (await client.get(f"/v1/reviews?status=open&limit={limit}")).json()
        assert len(page["items"]) == limit
        counts.append(len(statements))
    assert counts[0] == counts[1]


def due_after(review: dict[str, Any], since: str) -> timedelta:
    return datetime.fromisoformat(review["due_at"]) - datetime.fromisoformat(review[since])


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
