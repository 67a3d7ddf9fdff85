"""Referrals and their rewards as the API shows and pages them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import OutboxRow, TimelineRow
from domain.fraud.rule_sets import BASE
from domain.intake.facts import Choice, TakeBack
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.api.bodies import assert_problem, create_code, unique
from tests.api.held_rewards import decide, held_for_review, in_hold_period
from tests.api.staged_referrals import referral_at_stage
from tests.builders import NOW, TERMS, an_offer, chargeback, deposit, status_change, usd
from tests.fixtures.database_activity import recorded_statements


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
    assessment = shown["assessment"]
    assert (assessment["score"], assessment["verdict"]) == (60, "review")
    assert assessment["reasons"] == ["shared_device"]
    assert assessment["rule_set"] == BASE.version
    hits = [rule for rule in assessment["rules"] if rule["outcome"] == "hit"]
    assert hits == [{"rule": "shared_device", "weight": 60, "outcome": "hit"}]
    assert len(assessment["rules"]) == len(BASE.weights)
    assert [step["stage"] for step in shown["timeline"]] == ["INVITED", "SIGNED_UP", "REWARDED"]
    (reward,) = shown["rewards"]
    assert (reward["status"], reward["amount"]) == ("ISSUED", {"minor": 1000, "currency": "USD"})
    assert reward["assessment_id"] == assessment["assessment_id"]
    (listed,) = (await client.get(f"/v1/rewards?player_id={staged.referrer_id}")).json()["items"]
    assert listed == reward


async def test_shows_what_a_held_reward_waits_for(client: AsyncClient, database: Database) -> None:
    in_period, _ = await in_hold_period(database)
    in_review, _ = await held_for_review(database)
    excluded = status_change(in_review.row.referrer_id)
    await in_review.receives(excluded, player_id=in_review.row.referrer_id)
    await in_review.wake()

    (period,) = await holds_of(client, in_period)
    ineligible, review = sorted(
        await holds_of(client, in_review), key=lambda hold: str(hold["reason"])
    )

    since, until = (datetime.fromisoformat(period[end]) for end in ("since", "until"))
    assert (period["reason"], until - since) == ("hold_period", timedelta(days=7))
    assert (review["reason"], review["until"]) == ("review", None)
    assert "shared_payment_instrument" in review["detail"]
    assert (ineligible["reason"], ineligible["detail"]) == ("ineligible", ["self_excluded"])


async def test_shows_no_hold_once_it_is_credited(client: AsyncClient, database: Database) -> None:
    acts, _ = await held_for_review(database)
    await decide(client, acts, Choice.APPROVE)
    assert await holds_of(client, acts) == []
    assert (await acts.stored_row()).stage is Stage.REWARDED


async def test_a_referral_without_funds_is_deferred_with_its_reason(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database, budget=usd(0))
    await acts.receives(deposit(acts.referee_id))
    assert await acts.wake() is Stage.DEFERRED

    shown = (await client.get(f"/v1/referrals/{acts.row.id}")).json()

    assert [hold["reason"] for hold in shown["holds"]] == ["funds"]
    steps = [(step["stage"], step["reason_code"]) for step in shown["timeline"]]
    assert steps == [("INVITED", None), ("SIGNED_UP", None), ("DEFERRED", "funds")]


async def test_every_stage_tells_its_reason_code_with_its_words(
    client: AsyncClient, database: Database
) -> None:
    acts, paid = await held_for_review(database)
    await acts.receives(chargeback(paid))
    await acts.wake()

    shown = (await client.get(f"/v1/referrals/{acts.row.id}")).json()

    told = [(step["stage"], step["reason_code"], step["reason"]) for step in shown["timeline"][1:]]
    assert told == [
        ("SIGNED_UP", None, None),
        ("HELD", "review", "in review"),
        ("VOIDED", "deposit_taken_back", "the deposit was taken back"),
    ]
    events = (await stage_events(database, acts))[1:]
    assert [(event["stage"], event["reason_code"], event["reason"]) for event in events] == told


async def test_a_page_of_held_referrals_costs_as_many_statements_as_one(
    client: AsyncClient, database: Database
) -> None:
    async with database.transaction() as session:
        offer = await an_offer(session, terms=replace(TERMS, hold_period=timedelta(days=7)))
    counts = []
    for number in (1, 2, 3):
        acts = await sign_up(database, offer=offer)
        await acts.receives(deposit(acts.referee_id))
        await acts.wake()
        with recorded_statements(database) as statements:
            page = (await client.get(f"/v1/referrals?campaign={offer.campaign.slug}")).json()
        assert [len(item["holds"]) for item in page["items"]] == [1] * number
        counts.append(len(statements))
    assert len(set(counts)) == 1


async def holds_of(client: AsyncClient, acts: ReferralActs) -> list[dict[str, Any]]:
    """Return the open holds, which list and single view show alike."""
    shown = (await client.get(f"/v1/referrals/{acts.row.id}")).json()
    listed = await client.get("/v1/referrals", params={"player_id": acts.referee_id})
    (item,) = listed.json()["items"]
    assert item["holds"] == shown["holds"]
    holds: list[dict[str, Any]] = item["holds"]
    return holds


async def stage_events(database: Database, acts: ReferralActs) -> list[dict[str, Any]]:
    """Return the payloads of the events that share their ids with the timeline's rows."""
    query = (
        select(OutboxRow.payload)
        .join(TimelineRow, TimelineRow.id == OutboxRow.id)
        .where(TimelineRow.referral_id == acts.row.id)
        .order_by(TimelineRow.step)
    )
    async with database.reading() as session:
        return list(await session.scalars(query))


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


async def test_shows_why_a_won_chargeback_is_not_credited_again_yet(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.wake()
    await acts.receives(chargeback(paid))
    await acts.wake()
    await acts.receives(
        status_change(acts.row.referrer_id, at=NOW + timedelta(days=1)),
        player_id=acts.row.referrer_id,
    )
    await acts.receives(chargeback(paid, TakeBack.CHARGEBACK_WON))
    await acts.wake()

    shown = (await client.get(f"/v1/referrals/{acts.row.id}")).json()
    assert shown["stage"] == "REVERSED"
    assert [(hold["reason"], hold["detail"]) for hold in shown["holds"]] == [
        ("ineligible", ["self_excluded"])
    ]
