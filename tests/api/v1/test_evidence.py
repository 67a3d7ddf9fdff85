"""Evidence of a reward: an auditor's way from the events to the entries of the ledger."""

from typing import Any, Final
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import Campaign, CampaignVersion, TransferRow
from domain.intake.facts import Choice, Deposit
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus
from referrals.campaigns.versions import IS_CURRENT_VERSION
from tests.activities.referral_acts import ReferralActs, sign_up
from tests.api import bodies
from tests.api.bodies import assert_problem, publish_campaign, unique
from tests.api.held_rewards import decide, held_for_review, open_review
from tests.builders import Offer, chargeback, deposit

CENTS: Final = {"minor": 100, "currency": "USD"}


async def shown_referral(client: AsyncClient, acts: ReferralActs) -> dict[str, Any]:
    answer = await client.get(f"/v1/referrals/{acts.row.id}")
    shown: dict[str, Any] = answer.json()
    return shown


async def evidence_of(client: AsyncClient, acts: ReferralActs) -> dict[str, Any]:
    """Follow the ids from the referral to the evidence of its only reward."""
    (reward,) = (await shown_referral(client, acts))["rewards"]
    answer = await client.get(f"/v1/rewards/{reward['reward_id']}/evidence")
    assert answer.status_code == 200, answer.text
    evidence: dict[str, Any] = answer.json()
    assert evidence["reward"] == reward
    return evidence


async def test_an_auditor_walks_from_the_event_to_the_ledger_entry(
    client: AsyncClient, database: Database
) -> None:
    acts, paid = await held_for_review(database)
    review = await open_review(client, acts)
    await decide(client, acts, Choice.APPROVE)
    assert (await acts.stored_row()).stage is Stage.REWARDED

    evidence = await evidence_of(client, acts)

    reward, referral = evidence["reward"], evidence["referral"]
    assert referral == await shown_referral(client, acts)
    # The event, among the facts that count.
    earned = {fact["event_id"]: fact for fact in evidence["facts"]}[paid.event_id]
    assert (earned["counts"], earned["reason_code"]) == (True, "qualifies")
    facts = (await client.get(f"/v1/referrals/{acts.row.id}/facts")).json()["items"]
    assert earned in facts
    # The terms it was judged by, and who promised them.
    assert evidence["terms"]["minimum_deposit"] == {"minor": 1000, "currency": "USD"}
    version = evidence["campaign_version"]
    assert (version["campaign"], version["version"]) == (referral["campaign"], 1)
    # What it met, and what is due of it.
    qualification = evidence["qualification"]
    assert qualification["qualification_id"] == reward["qualification_id"]
    assert (qualification["attempt"], qualification["event_ids"]) == (1, [paid.event_id])
    assert qualification["left"] == qualification["due"] == {"minor": 1000, "currency": "USD"}
    # What was suspected, and what it waited for.
    assessment = evidence["assessment"]
    assert assessment["assessment_id"] == reward["assessment_id"] == review["assessment_id"]
    assert "shared_payment_instrument" in assessment["reasons"]
    assert assessment["evidence"]["version"] == 2
    (hold,) = evidence["holds"]
    (decision,) = evidence["decisions"]
    assert (hold["reason"], hold["cleared_by"]) == ("review", decision["reviewer"])
    # Who approved.
    assert decision["review_id"] == review["review_id"]
    assert (decision["decision"], decision["assessment_id"]) == (
        "approve",
        assessment["assessment_id"],
    )
    (audited,) = (entry for entry in evidence["audit"] if entry["subject"].startswith("review:"))
    assert (audited["actor"], audited["action"], audited["subject"]) == (
        decision["reviewer"],
        "review.approve",
        f"review:{review['review_id']}",
    )
    # The money.
    assert [transfer["movement"] for transfer in evidence["transfers"]] == ["hold", "release"]
    assert_balanced(evidence)
    entries = evidence["transfers"][1]["entries"]
    available = next(entry for entry in entries if entry["direction"] == "in")
    assert (available["account"], available["player_id"], available["direction"]) == (
        "available",
        acts.row.referrer_id,
        "in",
    )
    balance = (await client.get(f"/v1/players/{acts.row.referrer_id}/balance")).json()
    assert balance["available"] == [available["balance_after"]]


async def test_shows_a_reversal_with_what_was_owed_and_recovered(
    client: AsyncClient, database: Database
) -> None:
    first, paid = await credited(database)
    referrer = first.row.referrer_id
    body = {"amount": {"minor": 400, "currency": "USD"}, "reference": "bet"}
    assert (await client.post(f"/v1/players/{referrer}/spend", json=body)).status_code == 200
    await first.receives(chargeback(paid))
    assert await first.wake() is Stage.REVERSED
    second, _ = await credited(database, referrer_id=referrer)

    of_first, of_second = [await evidence_of(client, acts) for acts in (first, second)]

    movements = [[t["movement"] for t in of["transfers"]] for of in (of_first, of_second)]
    assert sorted(movements[0]) == sorted(["hold", "release", "reverse", "owe", "recover"])
    assert sorted(movements[1]) == sorted(["hold", "release", "recover"])
    (recovered,) = [t for t in of_first["transfers"] if t["movement"] == "recover"]
    assert recovered in of_second["transfers"]
    assert recovered["reward_id"] == of_first["reward"]["reward_id"]
    assert recovered["amount"] == {"minor": 400, "currency": "USD"}
    assert_balanced(of_first)
    assert of_first["reward"]["status"] == RewardStatus.REVERSED
    left, due = of_first["qualification"]["left"], of_first["qualification"]["due"]
    assert (left["minor"], due["minor"]) == (0, 0)
    shown = [(fact["kind"], fact["reason_code"]) for fact in of_first["facts"]]
    assert shown == [
        ("signup", "binds"),
        ("deposit", "taken_back"),
        ("chargeback", "takes_back"),
    ]


async def test_names_who_wrote_and_published_the_campaign_but_not_its_top_ups(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    top_up = {"amount": {"minor": 5000, "currency": "USD"}, "reference": "more"}
    assert (await client.post(f"/v1/campaigns/{slug}/fund", json=top_up)).status_code == 200
    acts, _ = await credited(database, offer=await offer_of(database, slug))

    audit = (await evidence_of(client, acts))["audit"]

    assert [entry["action"] for entry in audit] == ["campaign.create", "campaign.publish"]


async def test_shows_no_personal_data(client: AsyncClient, database: Database) -> None:
    acts, _ = await held_for_review(database)
    (reward,) = (await shown_referral(client, acts))["rewards"]
    answer = await client.get(f"/v1/rewards/{reward['reward_id']}/evidence")
    assert "hm1:" not in answer.text


async def test_the_evidence_of_an_unknown_reward_is_not_found(client: AsyncClient) -> None:
    answer = await client.get(f"/v1/rewards/{UUID(int=7)}/evidence")
    assert_problem(answer, 404, "unknown_reward")


async def credited(
    database: Database, *, offer: Offer | None = None, referrer_id: str | None = None
) -> tuple[ReferralActs, Deposit]:
    acts = await sign_up(database, offer=offer, referrer_id=referrer_id)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    assert await acts.wake() is Stage.REWARDED
    return acts, paid


async def offer_of(database: Database, slug: str) -> Offer:
    async with database.reading() as session:
        query = select(Campaign, CampaignVersion).join(CampaignVersion, IS_CURRENT_VERSION)
        return Offer(*(await session.execute(query.where(Campaign.slug == slug))).one())


def assert_balanced(evidence: dict[str, Any]) -> None:
    for transfer in evidence["transfers"]:
        signs = {"in": 1, "out": -1}
        entries = transfer["entries"]
        assert len(entries) >= 2
        assert sum(signs[e["direction"]] * e["amount"]["minor"] for e in entries) == 0


async def test_each_transfer_tells_who_caused_it_and_by_which_request(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    made = deposit(acts.referee_id).occurred_at.isoformat()
    body = bodies.deposit(player_id=acts.referee_id, occurred_at=made)
    paid = await client.post("/v1/events/deposits", json=body)
    assert (await acts.credit()).stage is Stage.REWARDED

    transfers = (await evidence_of(client, acts))["transfers"]

    assert [transfer["movement"] for transfer in transfers] == ["hold", "release"]
    for transfer in transfers:
        assert transfer["reported_by"].startswith("tests-")
        assert transfer["request_id"] == paid.headers["X-Request-Id"]


@pytest.mark.parametrize("step", ["spend", "unspend"])
async def test_a_spend_tells_who_made_it_and_by_which_request(
    client: AsyncClient, database: Database, step: str
) -> None:
    acts, _ = await credited(database)
    player, body = acts.row.referrer_id, {"reference": unique("bet"), "amount": CENTS}
    answer = await client.post(f"/v1/players/{player}/spend", json=body)
    if step == "unspend":
        answer = await client.post(f"/v1/players/{player}/unspend", json=body)
    assert answer.status_code == 200, answer.text

    async with database.reading() as session:
        query = select(TransferRow).where(
            TransferRow.reference == body["reference"], TransferRow.movement == step
        )
        transfer = (await session.scalars(query)).one()
    assert (transfer.reported_by or "").startswith("tests-")
    assert transfer.request_id == answer.headers["X-Request-Id"]


async def test_a_budget_tells_who_funded_it_and_by_which_request(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    body = {"reference": unique("top-up"), "amount": CENTS}
    answer = await client.post(f"/v1/campaigns/{slug}/fund", json=body)

    async with database.reading() as session:
        query = select(TransferRow).where(TransferRow.reference == body["reference"])
        transfer = (await session.scalars(query)).one()
    assert (transfer.reported_by or "").startswith("tests-")
    assert transfer.request_id == answer.headers["X-Request-Id"]
