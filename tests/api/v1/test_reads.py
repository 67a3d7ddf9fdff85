"""What is shown of referrals, rewards, reviews and balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from db import locks
from db.engine import Database, Session
from db.tables import ReferralRow, Reward
from domain.attribution.policy import Method
from domain.fraud.rules import Evidence
from domain.lifecycle.referral import Stage
from domain.rewards.reward import promised_rewards
from referrals.fraud import assessments, reviews
from referrals.lifecycle import stages
from referrals.rewards import transfers as rewards
from tests.api.bodies import assert_problem, create_code, unique


@dataclass(frozen=True, slots=True)
class StagedReferral:
    """A referral of the default campaign, moved to a stage the way activities do."""

    referral_id: UUID
    referrer_id: str
    referee_id: str


async def referral_at_stage(
    client: AsyncClient, database: Database, *, to: Stage
) -> StagedReferral:
    code = await create_code(client)
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    referral_id = UUID((await client.post("/v1/clicks", json=click)).json()["referral_id"])
    now = datetime.now(UTC)
    async with database.transaction() as session:
        row = await stages.lock_referral(session, referral_id)
        assert row is not None
        await locks.lock_players(session, row.referrer_id)
        row.referee_id = unique("referee")
        row.attribution_method, row.attribution_confidence = Method.REFERRAL_TOKEN, 1.0
        until = now + timedelta(days=1)
        await stages.enter_stage(session, row, Stage.SIGNED_UP, until=until, at=now)
        if to in {Stage.HELD, Stage.REWARDED}:
            held = await hold_for_review(session, row, row.referee_id, now)
            if to is Stage.REWARDED:
                await rewards.release(session, row, held, at=now)
        await stages.enter_stage(session, row, to, until=until, at=now, reason="shared_device")
        return StagedReferral(referral_id, row.referrer_id, row.referee_id)


async def hold_for_review(
    session: Session, row: ReferralRow, referee_id: str, now: datetime
) -> Sequence[Reward]:
    """Reserve the reward and open a review of it."""
    evidence = Evidence(shared_devices=1)
    judged = await assessments.assess_and_store(
        session, row, evidence, deposit_event_id="d", at=now
    )
    terms = stages.terms_of(row)
    promised = promised_rewards(row.id, terms, referrer_id=row.referrer_id, referee_id=referee_id)
    held = await rewards.write_promised(
        session, row, promised, deposit_event_id="d", held_until=now, at=now
    )
    await rewards.hold(session, row, held, at=now)
    amount, score, reasons = promised[0].amount, judged.score, judged.reasons
    await reviews.open_review(session, row, score=score, reasons=reasons, amount=amount, at=now)
    return held


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


async def test_a_referrer_learns_nothing_about_the_friend(
    client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.REJECTED)
    answer = await client.get(f"/v1/players/{staged.referrer_id}/invited")
    (shown,) = answer.json()["items"]
    assert shown["reason"] == "not eligible"
    assert shown.keys() == {"invited_at", "stage", "reason", "until"}
    assert staged.referee_id not in answer.text


async def test_a_player_nobody_has_heard_of_has_nothing(client: AsyncClient) -> None:
    player = unique("stranger")
    balance = (await client.get(f"/v1/players/{player}/balance")).json()
    assert balance == {"player_id": player, "available": [], "held": [], "owed": []}
    assert (await client.get(f"/v1/players/{player}/statement")).json()["items"] == []
    spent = await spend(client, player, 1, "r")
    assert_problem(spent, 409, "insufficient_balance")


async def test_a_balance_is_spent_once_per_reference(
    client: AsyncClient, database: Database
) -> None:
    player = (await referral_at_stage(client, database, to=Stage.REWARDED)).referrer_id
    for _ in range(2):
        answer = await spend(client, player, 400, "bet 1")
        assert answer.json()["available"] == [{"minor": 600, "currency": "USD"}]
    assert_problem(await spend(client, player, 401, "bet 1"), 409, "reference_conflict")
    assert_problem(await spend(client, player, 601, "bet 2"), 409, "insufficient_balance")
    for minor in (0, -1, 1.0, "5"):
        refused = await spend(client, player, minor, "bet 3")
        assert_problem(refused, 422, "validation_failed", "amount.minor")
    lines = (await client.get(f"/v1/players/{player}/statement")).json()["items"]
    shown = [(line["movement"], line["amount"]["minor"], line["direction"],
             line["balance_after"]["minor"]) for line in lines]  # fmt: skip
    assert shown == [("spend", 400, "out", 600), ("release", 1000, "in", 1000)]
    assert lines[1]["reward_id"] is not None
    held = await client.get(f"/v1/players/{player}/statement?account=held&limit=1")
    assert held.json()["items"][0]["movement"] == "release"
    assert held.json()["next_cursor"] is not None


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


async def test_refuses_a_decision_that_is_none(client: AsyncClient) -> None:
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


async def test_a_referral_nobody_has_heard_of_is_unknown(client: AsyncClient) -> None:
    assert_problem(await client.get(f"/v1/referrals/{UUID(int=7)}"), 404, "unknown_referral")


async def test_reports_every_check_of_the_books(client: AsyncClient) -> None:
    report = (await client.get("/v1/ledger/verify")).json()
    assert {"ok", "checks", "lag"} == report.keys()
    assert {"undelivered", "unpublished", "oldest_s"} <= report["lag"].keys()
    assert all({"name", "ok", "failures"} <= check.keys() for check in report["checks"])


async def spend(client: AsyncClient, player: str, minor: object, reference: str) -> Response:
    body = {"amount": {"minor": minor, "currency": "USD"}, "reference": reference}
    return await client.post(f"/v1/players/{player}/spend", json=body)
