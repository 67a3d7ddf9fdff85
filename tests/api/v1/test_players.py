"""Views of players: their referrals, balances and statements, and what they spend."""

from typing import Any

from httpx import AsyncClient, Response

from db.engine import Database
from domain.lifecycle.referral import Stage
from tests.activities.referral_acts import ReferralActs
from tests.api.bodies import assert_problem, unique
from tests.api.held_rewards import held_for_review, in_hold_period
from tests.api.staged_referrals import referral_at_stage
from tests.builders import status_change


async def test_a_referrer_learns_nothing_about_the_friend(
    client: AsyncClient, database: Database
) -> None:
    staged = await referral_at_stage(client, database, to=Stage.REJECTED)
    answer = await client.get(f"/v1/players/{staged.referrer_id}/invited")
    (shown,) = answer.json()["items"]
    assert shown["reason"] == "not eligible"
    assert shown.keys() == {"invited_at", "stage", "reason", "until"}
    assert staged.referee_id not in answer.text


async def test_a_hold_period_is_not_called_a_review(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await in_hold_period(database)
    shown = await invited(client, acts)
    assert shown["reason"] == "waiting for the hold period to end"
    (hold,) = (await client.get(f"/v1/referrals/{acts.row.id}")).json()["holds"]
    assert shown["until"] == hold["until"]


async def test_a_referrer_does_not_learn_why_a_reward_is_under_review(
    client: AsyncClient, database: Database
) -> None:
    in_review, _ = await held_for_review(database)
    with_exclusion, _ = await in_hold_period(database)
    await with_exclusion.receives(status_change(with_exclusion.referee_id))
    await with_exclusion.wake()

    shown = [await invited(client, acts) for acts in (in_review, with_exclusion)]

    assert [(one["stage"], one["reason"], one["until"]) for one in shown] == [
        ("HELD", "under review", None)
    ] * 2


async def invited(client: AsyncClient, acts: ReferralActs) -> dict[str, Any]:
    answer = await client.get(f"/v1/players/{acts.row.referrer_id}/invited")
    (shown,) = answer.json()["items"]
    found: dict[str, Any] = shown
    return found


async def test_an_unknown_player_has_an_empty_balance(client: AsyncClient) -> None:
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


async def spend(client: AsyncClient, player: str, minor: object, reference: str) -> Response:
    body = {"amount": {"minor": minor, "currency": "USD"}, "reference": reference}
    return await client.post(f"/v1/players/{player}/spend", json=body)
