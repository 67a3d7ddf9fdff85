"""Cases as a reviewer reads, claims and annotates them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from db.engine import Database
from domain.intake.facts import Choice
from domain.lifecycle.referral import Stage
from referrals.fraud.cases import open_late_link, open_sample
from referrals.fraud.cases.standing import attend
from tests.activities.referral_acts import LATER, card_of, record_referrer_deposit, sign_up
from tests.api.bodies import assert_problem, unique
from tests.api.v1.cases.conftest import key_of
from tests.api.v1.cases.steps import URL, case_of, decide, file_cases, hold, open_case, show
from tests.builders import TERMS, chargeback, deposit
from tests.fixtures.api_client import caller
from tests.fixtures.database_activity import recorded_statements


async def test_held_rewards_of_a_referrer_are_one_case(
    client: AsyncClient, database: Database
) -> None:
    first = await hold(database)
    second = await hold(database, referrer_id=first.row.referrer_id)
    await file_cases(database)

    case = await case_of(client, first)

    assert set(case["referrals"]) == {str(first.row.id), str(second.row.id)}
    assert (case["status"], case["kind"], case["subject"]) == (
        "open", "held", first.row.referrer_id,
    )  # fmt: skip
    assert case["amount"] == [{"minor": 2000, "currency": "USD"}]
    assert (len(case["rewards"]), len(case["reviews"])) == (2, 2)
    assert "shared_contact" in case["reasons"]
    assert case["score"] > 0
    assert set(case["cluster"]["players"]) == {
        first.row.referrer_id, first.referee_id, second.referee_id,
    }  # fmt: skip
    assert {one["referral_id"] for one in case["evidence"]} == set(case["referrals"])
    assert (case["notes"], case["decision"], case["claimed_by"]) == ([], None, None)
    assert await show(client, case) == case


async def test_a_case_is_due_a_review_period_after_its_first_review(
    client: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)

    opened, due = (datetime.fromisoformat(case[name]) for name in ("opened_at", "due_at"))
    assert due - opened == TERMS.review_period


async def test_a_due_case_is_escalated_and_stays_open(
    client: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)
    due_at = datetime.fromisoformat(case["due_at"])

    async with database.transaction() as session:
        await attend(session, UUID(case["case_id"]), now=due_at - timedelta(seconds=1))
    assert (await show(client, case))["escalated_at"] is None
    async with database.transaction() as session:
        await attend(session, UUID(case["case_id"]), now=due_at)

    escalated = await show(client, case)
    assert datetime.fromisoformat(escalated["escalated_at"]) == due_at
    assert datetime.fromisoformat(escalated["due_at"]) == due_at + TERMS.review_period
    assert escalated["status"] == "open"


@pytest.mark.parametrize("side", ["referrer", "referee"])
async def test_cases_are_found_by_each_player_of_the_pair(
    client: AsyncClient, database: Database, side: str
) -> None:
    acts = await hold(database)
    await file_cases(database)
    player_id = acts.row.referrer_id if side == "referrer" else acts.referee_id

    (case,) = (await client.get(URL, params={"player_id": player_id})).json()["items"]

    assert case["referrals"] == [str(acts.row.id)]
    nobody = (await client.get(URL, params={"player_id": unique("nobody")})).json()
    assert nobody == {"items": [], "next_cursor": None}


async def test_a_claim_is_a_lease_that_one_person_holds(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    acts = await hold(database)
    await file_cases(database)
    case = await case_of(client, acts)
    url = f"{URL}/{case['case_id']}"

    claimed = await client.post(f"{url}/claim")
    assert (claimed.status_code, claimed.json()["status"]) == (200, "claimed")
    assert (await client.post(f"{url}/claim")).status_code == 200
    assert_problem(await second_reviewer.post(f"{url}/claim"), 409, "claimed")
    assert_problem(await second_reviewer.post(f"{url}/release"), 409, "claimed")
    assert (await case_of(client, acts, status="claimed"))["case_id"] == case["case_id"]
    open_ones = await client.get(URL, params={"player_id": acts.referee_id, "status": "open"})
    assert open_ones.json()["items"] == []

    released = await client.post(f"{url}/release")
    assert (released.status_code, released.json()["status"]) == (200, "open")
    assert (await client.post(f"{url}/release")).status_code == 200
    assert (await second_reviewer.post(f"{url}/claim")).status_code == 200


async def test_notes_name_their_author_and_are_written_once(
    client: AsyncClient, second_reviewer: AsyncClient, database: Database
) -> None:
    case = await open_case(client, database)
    url = f"{URL}/{case['case_id']}/notes"

    first = await client.post(url, json={"text": "same street"})
    again = await client.post(url, json={"text": "same street"})
    other = await second_reviewer.post(url, json={"text": "same street"})

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 201)
    notes = (await show(client, case))["notes"]
    assert [note["text"] for note in notes] == ["same street"] * 2
    assert len({note["author"] for note in notes}) == 2


async def test_a_player_of_the_case_works_on_no_case_of_their_own(
    app: FastAPI, client: AsyncClient, database: Database
) -> None:
    acts = await hold(database)
    await file_cases(database)
    case = await case_of(client, acts)
    spelled_otherwise = acts.row.referrer_id.upper()
    decision = {"decision": "approve", "reason": "my own"}

    async with caller(app, await key_of(database, spelled_otherwise)) as player:
        for step, body in (
            ("claim", None),
            ("notes", {"text": "trust me"}),
            ("decision", decision),
        ):
            refused = await player.post(f"{URL}/{case['case_id']}/{step}", json=body)
            assert_problem(refused, 403, "own_referral")
        review = f"/v1/reviews/{case['reviews'][0]}/decision"
        assert_problem(await player.post(review, json=decision), 403, "own_referral")
    assert (await show(client, case))["status"] == "open"


async def test_who_is_linked_to_the_pair_decides_no_review_of_it(
    app: FastAPI, database: Database
) -> None:
    acts, linked = await hold(database), unique("linked")
    card = card_of(acts, other=True)
    for player_id in (acts.referee_id, linked):
        await acts.receives(deposit(player_id, payment_instrument=card), player_id=player_id)
    review = f"/v1/reviews/{(await acts.latest_review()).id}/decision"

    async with caller(app, await key_of(database, linked)) as person:
        refused = await person.post(review, json={"decision": "approve", "reason": "a friend"})

    assert_problem(refused, 403, "own_referral")


async def test_a_case_without_an_open_review_is_closed(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    await record_referrer_deposit(acts, card=card_of(acts))
    paid = deposit(acts.referee_id, payment_instrument=card_of(acts))
    await acts.receives(paid)
    await acts.credit()
    await file_cases(database)
    case = await case_of(client, acts)
    await acts.receives(chargeback(paid))
    await acts.wake()

    async with database.transaction() as session:
        await attend(session, UUID(case["case_id"]), now=LATER)

    closed = await show(client, case)
    assert (closed["status"], closed["decision"]) == ("closed", None)
    claim = await client.post(f"{URL}/{case['case_id']}/claim")
    assert_problem(claim, 409, "case_closed")


async def test_a_case_whose_reviews_were_decided_one_by_one_is_decided(
    client: AsyncClient, database: Database
) -> None:
    acts = await hold(database)
    await file_cases(database)
    case = await case_of(client, acts)
    await acts.decide(Choice.REJECT)

    async with database.transaction() as session:
        await attend(session, UUID(case["case_id"]), now=LATER)

    decided = await show(client, case)
    assert decided["status"] == "decided"
    assert decided["decision"]["decision"] == "reject"


async def test_a_new_doubt_after_a_decision_opens_the_next_case(
    client: AsyncClient, database: Database
) -> None:
    first = await hold(database)
    await file_cases(database)
    case = await case_of(client, first)
    body = {"decision": "reject", "reason": "one person"}
    assert (await client.post(f"{URL}/{case['case_id']}/decision", json=body)).status_code == 200
    second = await hold(database, referrer_id=first.row.referrer_id)
    await file_cases(database)

    other = await case_of(client, second)

    assert other["case_id"] != case["case_id"]
    assert other["referrals"] == [str(second.row.id)]


@pytest.mark.parametrize("kind", ["late_link", "sample"])
async def test_a_credited_referral_gets_a_case_of_its_kind_once(
    client: AsyncClient, database: Database, kind: str
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()
    for _ in range(2):
        async with database.transaction() as session:
            if kind == "sample":
                await open_sample(session, acts.row.id, at=LATER)
            else:
                kinds = ["payment_instrument"]
                await open_late_link(session, acts.row.id, kinds=kinds, at=LATER)
        await file_cases(database)

    found = await client.get(URL, params={"player_id": acts.referee_id})
    # One in a hundred is a sample besides.
    (case,) = [case for case in found.json()["items"] if case["kind"] == kind]
    assert (case["referrals"], case["reviews"]) == ([str(acts.row.id)], [])
    body = {"decision": "reject", "reason": "one person"}
    decided = await client.post(f"{URL}/{case['case_id']}/decision", json=body)
    assert (decided.status_code, decided.json()["status"]) == (200, "decided")
    assert (await acts.referrer_balances()).available == 1000


async def test_players_of_a_rejected_late_link_have_later_rewards_held(
    client: AsyncClient, database: Database
) -> None:
    acts = await sign_up(database)
    await acts.receives(deposit(acts.referee_id))
    await acts.credit()
    async with database.transaction() as session:
        await open_late_link(session, acts.row.id, kinds=["payment_instrument"], at=LATER)
    await file_cases(database)
    found = await client.get(URL, params={"player_id": acts.referee_id})
    (case,) = [case for case in found.json()["items"] if case["kind"] == "late_link"]

    decided = await decide(client, case, "reject")

    assert decided.status_code == 200
    for player in (acts.row.referrer_id, acts.referee_id):
        query = {"kind": "player", "value": player}
        (entry,) = (await client.get("/v1/lists/deny", params=query)).json()["items"]
        assert entry["reason"] == "looked into it"
    again = await sign_up(database, referrer_id=acts.row.referrer_id)
    await again.receives(deposit(again.referee_id))
    assert (await again.credit()).stage is Stage.HELD


async def test_a_page_of_cases_costs_as_many_statements_as_one(
    client: AsyncClient, database: Database
) -> None:
    counts = []
    for limit in (1, 2):
        await open_case(client, database)
        with recorded_statements(database) as statements:
            page = (await client.get(f"{URL}?limit={limit}")).json()
        assert len(page["items"]) == limit
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/claim", None),
        ("POST", "/release", None),
        ("POST", "/notes", {"text": "a note"}),
        ("POST", "/decision", {"decision": "approve", "reason": "r"}),
    ],
)
async def test_an_unknown_case_is_404(
    client: AsyncClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = await client.request(method, f"{URL}/{UUID(int=7)}{path}", json=body)
    assert_problem(answer, 404, "unknown_case")
