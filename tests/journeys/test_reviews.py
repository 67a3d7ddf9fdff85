"""Reviews: rewards that are held, decided by a person, and never credited to the ineligible."""

from typing import Any

from temporalio.client import Client

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_signed_up_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import deposit, status_change
from tests.journeys.engineer import Engineer
from tests.journeys.review_steps import hold_for_review


async def test_an_approved_reward_is_credited(sportsbook: SportsbookClient) -> None:
    pair, _ = await hold_for_review(sportsbook)
    review = await sportsbook.wait_for_review(pair.referral_id)
    assert review.reasons[:2] == ["shared_payment_instrument", "known_person"]

    assert (await sportsbook.decide(review.review_id, "approve", "a couple")).status_code == 200

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert (await sportsbook.decide(review.review_id, "approve", "a couple")).status_code == 200
    refused = await sportsbook.decide(review.review_id, "reject", "or not")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_decided")


async def test_a_rejected_reward_goes_back_to_the_budget(sportsbook: SportsbookClient) -> None:
    pair, _ = await hold_for_review(sportsbook)
    review = await sportsbook.wait_for_review(pair.referral_id)

    await sportsbook.decide(review.review_id, "reject", "one person with two accounts")

    await sportsbook.wait_for_stage(pair.referral_id, "REJECTED")
    balance = await sportsbook.balance(pair.referrer_id)
    assert (balance.available, balance.held) == ([], [])


async def test_a_self_excluded_player_is_not_credited_even_when_approved(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    await sportsbook.send(status_change(pair.referee_id, "self_excluded"))
    await sportsbook.send(deposit(pair.referee_id))
    await sportsbook.wait_for_stage(pair.referral_id, "HELD")
    review = await sportsbook.wait_for_review(pair.referral_id)

    await sportsbook.decide(review.review_id, "approve", "looks fine to me")
    assert (await engineer.wait_until_idle(pair.referral_id)).stage == "HELD"

    await sportsbook.send(status_change(pair.referee_id, "restored"))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")


async def test_a_self_excluded_referrer_is_credited_once_restored_and_approved(
    sportsbook: SportsbookClient, engineer: Engineer
) -> None:
    pair = await create_signed_up_pair(sportsbook)
    await sportsbook.send(status_change(pair.referrer_id, "self_excluded"))
    await sportsbook.send(deposit(pair.referee_id))
    await sportsbook.wait_for_stage(pair.referral_id, "HELD")

    await sportsbook.send(status_change(pair.referrer_id, "restored"))
    await engineer.wait_until_idle(pair.referral_id)
    review = await sportsbook.wait_for_review(pair.referral_id)
    if review.decision is None:
        await sportsbook.decide(review.review_id, "approve", "allowed to play again")

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")


async def wait_for_case(sportsbook: SportsbookClient, player_id: str) -> dict[str, Any]:
    async def ask() -> list[dict[str, Any]]:
        query = {"player_id": player_id, "status": "open"}
        answer = await sportsbook.call("GET", "/v1/cases", params=query)
        items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
        return items

    return (await wait_until(ask, bool, what=f"a case of {player_id}"))[0]


async def test_a_decided_case_credits_its_reward_and_ends_its_workflow(
    sportsbook: SportsbookClient, temporal: Client, engineer: Engineer
) -> None:
    pair, _ = await hold_for_review(sportsbook)
    case = await wait_for_case(sportsbook, pair.referee_id)
    assert case["referrals"] == [pair.referral_id]
    url = f"/v1/cases/{case['case_id']}"
    # A case that is decided before the courier starts its workflow needs none.
    await engineer.wait_until_started(f"case:{case['case_id']}")

    assert (await sportsbook.call("POST", f"{url}/claim")).json()["status"] == "claimed"
    body = {"decision": "approve", "reason": "a couple"}
    decided = await sportsbook.call("POST", f"{url}/decision", body)
    assert (decided.status_code, decided.json()["status"]) == (200, "decided")

    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    workflow = temporal.get_workflow_handle(f"case:{case['case_id']}")
    assert await workflow.result() == "decided"
