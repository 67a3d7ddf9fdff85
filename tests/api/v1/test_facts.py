"""Facts of a referral's pair: what was reported, and why it does or does not earn a reward."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from activities.messages import SignalledFacts
from api.http.paging import encode_cursor
from db.engine import Database
from domain.intake.facts import Choice, PlayerStatus, TakeBack, Wager
from domain.lifecycle.referral import Stage
from domain.money import Money
from tests.activities.referral_acts import ReferralActs, record_referrer_signup, sign_up
from tests.api import bodies
from tests.api.attribution_steps import click
from tests.api.bodies import assert_problem, create_code
from tests.api.held_rewards import decide, held_for_review
from tests.builders import NOW, chargeback, deposit, status_change, unique, usd
from tests.fixtures.database_activity import recorded_statements


async def facts_of(client: AsyncClient, acts: ReferralActs, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    answer = await client.get(f"/v1/referrals/{acts.row.id}/facts", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def explained(client: AsyncClient, acts: ReferralActs) -> list[tuple[str, bool, str]]:
    shown = await facts_of(client, acts)
    return [(fact["kind"], fact["counts"], fact["reason_code"]) for fact in shown]


async def test_explains_a_deposit_of_5_dollars_and_one_of_50_euros(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    small = deposit(acts.referee_id, minor=500, at=NOW + timedelta(hours=1))
    euros = deposit(acts.referee_id, at=NOW + timedelta(hours=2), amount=Money(5000, "EUR"))
    await acts.receives(small, euros)
    await acts.wake()

    arrival, first, second = await facts_of(client, acts)

    assert (arrival["kind"], arrival["counts"], arrival["reason_code"]) == ("signup", True, "binds")
    assert first["event_id"] == small.event_id
    assert first["amount"] == {"minor": 500, "currency": "USD"}
    assert (first["counts"], first["reason_code"]) == (False, "below_minimum")
    assert first["reason"] == "below the minimum deposit"
    assert second["amount"] == {"minor": 5000, "currency": "EUR"}
    assert (second["counts"], second["reason_code"]) == (False, "other_currency")
    assert (await acts.stored_row()).stage is Stage.SIGNED_UP


async def test_explains_a_deposit_that_was_taken_back_and_given_back(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    paid = deposit(acts.referee_id)
    await acts.receives(paid)
    await acts.wake()
    assert (await explained(client, acts))[1:] == [("deposit", True, "qualifies")]

    await acts.receives(chargeback(paid))
    assert await acts.wake() is Stage.REVERSED
    assert (await explained(client, acts))[1:] == [
        ("deposit", False, "taken_back"),
        ("chargeback", True, "takes_back"),
    ]

    won = chargeback(paid, TakeBack.CHARGEBACK_WON, at=paid.occurred_at + timedelta(days=1))
    later = deposit(acts.referee_id, at=paid.occurred_at + timedelta(days=2))
    await acts.receives(won, later)
    assert await acts.wake() is Stage.REWARDED
    shown = await facts_of(client, acts)
    assert [fact["reason_code"] for fact in shown[1:]] == [
        "qualifies", "takes_back", "gives_back", "not_first"
    ]  # fmt: skip
    assert [fact["detail"] for fact in shown[2:4]] == ["chargeback", "chargeback_won"]
    assert {fact["deposit_id"] for fact in shown[1:4]} == {paid.deposit_id}


async def test_a_deposit_after_the_end_of_a_referral_earns_nothing(
    client: AsyncClient, database: Database
) -> None:
    acts, paid = await held_for_review(database)
    await acts.receives(chargeback(paid, TakeBack.REFUND))
    assert await acts.wake() is Stage.VOIDED
    await acts.receives(deposit(acts.referee_id, at=NOW + timedelta(days=3)))
    assert (await explained(client, acts))[1:] == [
        ("deposit", False, "taken_back"),
        ("chargeback", True, "takes_back"),
        ("deposit", False, "referral_ended"),
    ]


async def test_shows_statuses_of_both_and_nothing_else_of_the_referrer(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    referrer = acts.row.referrer_id
    excluded = status_change(referrer, at=NOW + timedelta(hours=1))
    verified = status_change(acts.referee_id, PlayerStatus.VERIFIED, at=NOW + timedelta(hours=2))
    wager = Wager(
        event_id=unique("bet"),
        occurred_at=NOW + timedelta(hours=3),
        player_id=acts.referee_id,
        stake=usd(5),
    )
    await record_referrer_signup(acts)
    await acts.receives(deposit(referrer), excluded, player_id=referrer)
    await acts.receives(verified, wager)

    shown = await facts_of(client, acts)

    assert [(f["player_id"], f["detail"], f["reason_code"]) for f in shown] == [
        (acts.referee_id, None, "binds"),
        (referrer, "self_excluded", "makes_ineligible"),
        (acts.referee_id, "verified", "no_effect"),
        (acts.referee_id, None, "stake_not_required"),
    ]


async def test_shows_decisions_with_their_reviewer(client: AsyncClient, database: Database) -> None:
    acts, _ = await held_for_review(database)
    await decide(client, acts, Choice.APPROVE)

    decision = (await facts_of(client, acts))[-1]

    assert (decision["detail"], decision["reason_code"]) == ("approve", "approves")
    assert decision["reported_by"].startswith("tests-")


async def test_tells_who_reported_a_fact_and_shows_no_personal_field(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    body = bodies.deposit(player_id=acts.referee_id, ip="203.0.113.7", method="card")
    answer = await client.post("/v1/events/deposits", json=body)

    shown = {fact["event_id"]: fact for fact in await facts_of(client, acts)}[body["event_id"]]

    assert shown["door"] == "http"
    assert shown["reported_by"].startswith("tests-")
    assert shown["request_id"] == answer.headers["X-Request-Id"]
    assert shown["recorded_at"] > shown["occurred_at"]
    assert not {"ip", "body", "method"} & shown.keys()


async def test_a_signal_has_no_reporter(client: AsyncClient, database: Database) -> None:
    acts = await sign_up(database)
    signalled = SignalledFacts(deposits=(deposit(acts.referee_id),))
    await acts.rewards.compensate_reward(await acts.act_request(signalled=signalled))

    shown = (await facts_of(client, acts))[-1]

    assert (shown["kind"], shown["door"], shown["reported_by"]) == ("deposit", "signal", None)
    assert shown["request_id"] == f"referral:{acts.row.id}"


async def test_pages_of_facts_follow_each_other_without_a_gap(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    # All of one time, so that only their ids put them in order.
    await acts.receives(*(deposit(acts.referee_id, minor=1) for _ in range(6)))
    everything = await facts_of(client, acts)
    assert len(everything) == 7

    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(f"/v1/referrals/{acts.row.id}/facts", params=query)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == everything


@pytest.mark.parametrize(
    "cursor",
    ["x", "eA", *map(encode_cursor, ("2026-01-01T00:00:00Z|no such kind|e", "|deposit|e", "\0||"))],
)
async def test_refuses_a_cursor_of_facts_that_it_never_gave(
    client: AsyncClient, database: Database, cursor: str
) -> None:
    acts = await sign_up(database)
    answer = await client.get(f"/v1/referrals/{acts.row.id}/facts?cursor={cursor}")
    assert_problem(answer, 422, "validation_failed", "cursor")


async def test_the_facts_of_an_unknown_referral_are_not_found(client: AsyncClient) -> None:
    answer = await client.get(f"/v1/referrals/{UUID(int=7)}/facts")
    assert_problem(answer, 404, "unknown_referral")


async def test_an_invitation_without_a_friend_has_no_facts(
    client: AsyncClient,
) -> None:
    invited = await click(client, await create_code(client))
    answer = await client.get(f"/v1/referrals/{invited['referral_id']}/facts")
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_many_facts_cost_as_many_statements_as_few(
    client: AsyncClient, database: Database
) -> None:
    acts, counts = await sign_up(database), []
    for number in (1, 30):
        await acts.receives(*(deposit(acts.referee_id, minor=1) for _ in range(number)))
        with recorded_statements(database) as statements:
            await facts_of(client, acts)
        counts.append(len(statements))
    assert counts[0] == counts[1]
