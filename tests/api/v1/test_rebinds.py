"""Rebinds by support: a reason, two different people, and only while nothing was earned."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select

from db.engine import Database
from db.tables import AuditRow, ReferralRow
from domain.lifecycle.referral import Stage
from referrals.access.audit import Actor
from tests.api.attribution_steps import attribution_log, make_deposit, referral_of, sign_up
from tests.api.bodies import assert_problem, create_code, deposit, unique
from tests.courier.steps import set_stage
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

URL = "/v1/attributions/rebinds"
WEEK = timedelta(days=7)


@pytest.fixture
async def second_supporter(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    """Another person with the right to decide."""
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(
            session, owner=unique("supporter"), scopes=["reviews:decide"], actor=actor
        )
    async with caller(app, key) as client:
        yield client


async def propose(client: AsyncClient, player_id: str, code: str) -> dict[str, Any]:
    body = {"player_id": player_id, "code": code, "reason": "a ticket"}
    answer = await client.post(URL, json=body)
    assert answer.status_code == 201, answer.text
    rebind: dict[str, Any] = answer.json()
    return rebind


async def decide(client: AsyncClient, rebind: dict[str, Any], decision: str) -> Response:
    body = {"decision": decision, "reason": "looked into it"}
    return await client.post(f"{URL}/{rebind['rebind_id']}/decision", json=body)


async def test_two_people_bind_a_player_long_after_the_grace(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=WEEK)
    await make_deposit(client, database, player)

    rebind = await propose(client, player, code)
    answer = await decide(second_supporter, rebind, "approve")

    assert rebind["status"] == "proposed"
    decision = answer.json()
    assert (answer.status_code, decision["status"], decision["outcome"]) == (
        200,
        "approved",
        "bound",
    )
    referral = await referral_of(client, player)
    assert referral["referral_id"] == decision["referral_id"]
    assert (referral["code"], referral["attribution"]["method"]) == (code, "manual")
    (attempt,) = [
        one for one in await attribution_log(client, player) if one["attempt"] == "rebind"
    ]
    assert (attempt["reason"], attempt["outcome"]) == ("a ticket", "bound")
    assert rebind["proposed_by"] in attempt["actor"]
    assert decision["decided_by"] in attempt["actor"]


async def test_support_may_paste_the_link(client: AsyncClient, database: Database) -> None:
    player = await sign_up(client, database, age=WEEK)
    code = await create_code(client)
    rebind = await propose(client, player, f"It was https://refer.example/r/{code.lower()}?a=b.")
    assert rebind["code"] == code


async def test_nobody_approves_their_own_wish(client: AsyncClient, database: Database) -> None:
    player = await sign_up(client, database, age=WEEK)
    rebind = await propose(client, player, await create_code(client))

    assert_problem(await decide(client, rebind, "approve"), 403, "second_person_required")
    assert_problem(await decide(client, rebind, "reject"), 403, "second_person_required")

    listed = (await client.get(URL, params={"player_id": player})).json()["items"]
    assert [item["status"] for item in listed] == ["proposed"]


async def test_nobody_moves_a_player_to_a_code_of_their_own(
    client: AsyncClient, second_supporter: AsyncClient, app: FastAPI, database: Database
) -> None:
    player, other = await sign_up(client, database, age=WEEK), await create_code(client)
    owner = unique("insider")
    own = (await client.post("/v1/codes", json={"player_id": owner})).json()["code"]
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(session, owner=owner, scopes=["reviews:decide"], actor=actor)
    async with caller(app, key) as insider:
        body = {"player_id": player, "code": own, "reason": "a ticket"}
        assert_problem(await insider.post(URL, json=body), 403, "own_referral")
        proposed = await propose(second_supporter, player, own)
        assert_problem(await decide(insider, proposed, "approve"), 403, "own_referral")
        assert_problem(await decide(insider, proposed, "reject"), 403, "own_referral")
        of_others = await propose(client, player, other)
        assert (await decide(insider, of_others, "approve")).status_code == 200


async def test_moves_a_player_from_the_wrong_referrer(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    wrong, right = await create_code(client), await create_code(client)
    player = await sign_up(client, database, age=WEEK, code=wrong)
    before = await referral_of(client, player)

    answer = await decide(second_supporter, await propose(client, player, right), "approve")

    assert answer.json()["outcome"] == "rebound"
    assert (await referral_of(client, player))["code"] == right
    lost = (await client.get(f"/v1/referrals/{before['referral_id']}")).json()
    assert lost["stage"] == "LOST"


async def test_a_rejected_wish_changes_nothing_and_stays_rejected(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, age=WEEK)
    rebind = await propose(client, player, await create_code(client))

    answers = [await decide(second_supporter, rebind, "reject") for _ in range(2)]

    assert [answer.json()["status"] for answer in answers] == ["rejected", "rejected"]
    assert_problem(await decide(second_supporter, rebind, "approve"), 409, "already_decided")
    assert_problem(await decide(client, rebind, "reject"), 409, "already_decided")
    assert [one["attempt"] for one in await attribution_log(client, player)] == ["signup"]


async def test_nothing_that_was_earned_moves(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, code=await create_code(client))
    referral = await referral_of(client, player)
    async with database.reading() as session:
        row = await session.get_one(ReferralRow, UUID(referral["referral_id"]))
    await set_stage(database, row, Stage.REWARDED)
    rebind = await propose(client, player, await create_code(client))

    answer = await decide(second_supporter, rebind, "approve")

    assert_problem(answer, 409, "already_earned")
    listed = (await client.get(URL, params={"player_id": player})).json()["items"]
    assert [(item["status"], item["outcome"]) for item in listed] == [("refused", "already_earned")]
    assert (await referral_of(client, player))["referral_id"] == referral["referral_id"]


async def test_a_wish_is_decided_once_however_many_decide_at_once(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, age=WEEK)
    rebind = await propose(client, player, await create_code(client))

    answers = await asyncio.gather(*(decide(second_supporter, rebind, "approve") for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    attempts = [one["attempt"] for one in await attribution_log(client, player)]
    assert attempts == ["signup", "rebind"]


async def test_every_step_is_in_the_audit(
    client: AsyncClient, second_supporter: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, age=WEEK)
    rebind = await propose(client, player, await create_code(client))
    await decide(second_supporter, rebind, "reject")

    query = select(AuditRow).where(AuditRow.subject == f"player:{player}").order_by(AuditRow.id)
    async with database.reading() as session:
        rows = (await session.scalars(query)).all()
    assert [(row.action, row.reason) for row in rows] == [
        ("rebind.propose", "a ticket"),
        ("rebind.reject", "looked into it"),
    ]
    assert rows[0].actor != rows[1].actor


async def test_refuses_rebinds_of_unknown_players_and_codes(
    client: AsyncClient, second_supporter: AsyncClient
) -> None:
    code = await create_code(client)
    nobody = {"player_id": unique("player"), "code": code, "reason": "a ticket"}
    assert_problem(await client.post(URL, json=nobody), 404, "unknown_player")
    unknown = {**nobody, "code": "NOBODYS"}
    assert_problem(await client.post(URL, json=unknown), 404, "unknown_code")
    blank = {**nobody, "reason": " "}
    assert_problem(await client.post(URL, json=blank), 422, "validation_failed", "reason")
    known = deposit(player_id=nobody["player_id"])
    assert (await client.post("/v1/events/deposits", json=known)).status_code == 202
    assert_problem(await client.post(URL, json=nobody), 404, "unknown_player")
    missing = {"rebind_id": uuid4()}
    assert_problem(await decide(second_supporter, missing, "approve"), 404, "unknown_rebind")
