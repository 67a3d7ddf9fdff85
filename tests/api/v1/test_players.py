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
    assert (shown["reason"], shown["reason_code"]) == ("not eligible", "not_eligible")
    assert shown.keys() == {"invited_at", "stage", "reason", "reason_code", "until"}
    assert staged.referee_id not in answer.text


async def test_a_hold_period_is_not_called_a_review(
    client: AsyncClient, database: Database
) -> None:
    acts, _ = await in_hold_period(database)
    shown = await invited(client, acts)
    assert shown["reason"] == "waiting for the hold period to end"
    assert shown["reason_code"] == "hold_period"
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

    assert [(one["stage"], one["reason_code"], one["until"]) for one in shown] == [
        ("HELD", "under_review", None)
    ] * 2


async def invited(client: AsyncClient, acts: ReferralActs) -> dict[str, Any]:
    answer = await client.get(f"/v1/players/{acts.row.referrer_id}/invited")
    (shown,) = answer.json()["items"]
    found: dict[str, Any] = shown
    return found


async def test_an_unknown_player_has_an_empty_balance(client: AsyncClient) -> None:
    player = unique("stranger")
    balance = (await client.get(f"/v1/players/{player}/balance")).json()
    nothing: dict[str, list[object]] = {"available": [], "held": [], "owed": []}
    assert balance == {"player_id": player, **nothing, "bonus": nothing}
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


async def test_two_players_whose_names_meet_spend_under_references_of_their_own(
    client: AsyncClient, database: Database
) -> None:
    first = (await referral_at_stage(client, database, to=Stage.REWARDED)).referrer_id
    second = f"{first}:b"
    code = (await client.post("/v1/codes", json={"player_id": second})).json()["code"]
    staged = await referral_at_stage(client, database, to=Stage.REWARDED, code=code)
    assert staged.referrer_id == second

    for _ in range(2):
        for player, reference in ((first, "b:c"), (second, "c")):
            answer = await spend(client, player, 400, reference)
            assert answer.json()["available"] == [{"minor": 600, "currency": "USD"}]


async def test_a_spend_is_given_back_in_part_and_then_whole(
    client: AsyncClient, database: Database
) -> None:
    player = (await referral_at_stage(client, database, to=Stage.REWARDED)).referrer_id
    await spend(client, player, 1000, "bet 1")
    for _ in range(2):
        answer = await unspend(client, player, "bet 1", 300)
        assert answer.json()["available"] == [{"minor": 300, "currency": "USD"}]
    assert_problem(await unspend(client, player, "bet 1", 701), 409, "exceeds_spend")
    assert_problem(await unspend(client, player, "bet 2"), 404, "unknown_spend")
    assert_problem(
        await unspend(client, player, "bet 1", 1, "EUR"),
        422,
        "validation_failed",
        "amount.currency",
    )
    for _ in range(2):
        answer = await unspend(client, player, "bet 1")
        assert answer.json()["available"] == [{"minor": 1000, "currency": "USD"}]
    lines = (await client.get(f"/v1/players/{player}/statement")).json()["items"]
    shown = [(line["movement"], line["amount"]["minor"], line["direction"]) for line in lines]
    assert shown[:3] == [("unspend", 700, "in"), ("unspend", 300, "in"), ("spend", 1000, "out")]


async def unspend(
    client: AsyncClient,
    player: str,
    reference: str,
    minor: int | None = None,
    currency: str = "USD",
) -> Response:
    amount = None if minor is None else {"minor": minor, "currency": currency}
    body = {"amount": amount, "reference": reference}
    return await client.post(f"/v1/players/{player}/unspend", json=body)


async def spend(client: AsyncClient, player: str, minor: object, reference: str) -> Response:
    body = {"amount": {"minor": minor, "currency": "USD"}, "reference": reference}
    return await client.post(f"/v1/players/{player}/spend", json=body)
