"""Codes claimed after the signup, which count while nothing was earned."""

import asyncio
from datetime import timedelta
from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import Delivery, ReferralRow
from domain.lifecycle.referral import Stage
from referrals.attribution.touches import MAX_TOUCHES
from tests.api.attribution_steps import (
    HOUR,
    ago,
    attribution_log,
    claim,
    click,
    make_deposit,
    referral_of,
    route,
    sign_up,
)
from tests.api.bodies import (
    assert_problem,
    create_code,
    publish_campaign,
    signup,
    unique,
)
from tests.courier.steps import set_stage


async def test_a_link_that_is_pasted_for_a_code_is_its_code(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    link = f"https://refer.example/r/{code.lower()}?{'utm_source=friend&' * 8}"
    at_signup = await sign_up(client, database, age=timedelta(0), code=link)
    later = await sign_up(client, database)

    outcome = (await claim(client, later, link)).json()

    assert (outcome["outcome"], outcome["code"]) == ("bound", code)
    for player in (at_signup, later):
        assert (await referral_of(client, player))["code"] == code


async def test_a_claim_is_not_taken_for_that_of_a_player_whose_name_it_meets(
    client: AsyncClient, database: Database
) -> None:
    code, other = await create_code(client), unique("player")
    player = f"{other}:b"
    await sign_up(client, database, player_id=player)
    at = ago(timedelta(0))
    refused = await claim(client, other, f"b:{code}", occurred_at=at)
    assert_problem(refused, 404, "unknown_code")

    assert (await claim(client, player, code, occurred_at=at)).json()["outcome"] == "bound"
    assert (await claim(client, player, code, occurred_at=at)).json()["outcome"] == "bound"


async def test_a_code_typed_within_the_grace_binds_and_what_was_done_before_counts(
    client: AsyncClient, database: Database
) -> None:
    code, player = await create_code(client), await sign_up(client, database)
    await make_deposit(client, database, player)

    answer = await claim(client, player, f" {code.lower()} ")

    assert answer.status_code == 200, answer.text
    referral = await referral_of(client, player)
    assert answer.json() == {
        "outcome": "bound",
        "referral_id": referral["referral_id"],
        "code": code,
    }
    assert (referral["stage"], referral["attribution"]["method"]) == ("SIGNED_UP", "typed_code")
    assert await _delivered_signals(database, referral["referral_id"]) >= {
        "sign_up",
        "look",
    }


async def test_a_code_typed_after_the_grace_is_late_and_changes_nothing(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=timedelta(hours=25))

    assert_problem(await claim(client, player, code), 409, "late_code")

    assert [one["outcome"] for one in await attribution_log(client, player)] == [
        "no_touch",
        "late_code",
    ]


async def test_a_code_typed_in_time_counts_although_the_claim_arrives_late(
    client: AsyncClient, database: Database
) -> None:
    code = await create_code(client)
    player = await sign_up(client, database, age=timedelta(hours=24.9))

    answer = await claim(client, player, code, occurred_at=ago(timedelta(hours=24)))

    assert (answer.status_code, answer.json()["outcome"]) == (200, "bound")


async def test_a_claim_that_arrives_after_the_lateness_grace_is_late(
    client: AsyncClient, database: Database
) -> None:
    code, typed_at = await create_code(client), ago(timedelta(hours=24))
    player = await sign_up(client, database, age=timedelta(hours=25.1))

    assert_problem(await claim(client, player, code, occurred_at=typed_at), 409, "late_code")

    assert [one["outcome"] for one in await attribution_log(client, player)] == [
        "no_touch",
        "late_code",
    ]


async def test_a_changed_mind_moves_the_player_and_the_first_referral_is_lost(
    client: AsyncClient, database: Database
) -> None:
    first, second = await create_code(client), await create_code(client)
    player = await sign_up(client, database, code=first)
    before = await referral_of(client, player)

    answer = await claim(client, player, second)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "rebound")
    assert (await referral_of(client, player))["code"] == second
    lost = (await client.get(f"/v1/referrals/{before['referral_id']}")).json()
    assert (lost["stage"], lost["timeline"][-1]["reason"]) == ("LOST", "rebound")
    assert "supersede" in await _delivered_signals(database, before["referral_id"])


async def test_other_invitations_of_a_player_are_lost_to_a_code_claimed_late(
    client: AsyncClient, database: Database
) -> None:
    order = [{"methods": ["typed_code"]}]
    slug = await publish_campaign(
        client, starts_at="2020-01-01T00:00:00Z", attribution={"order": order}
    )
    link = await click(client, await create_code(client, slug))
    token = link["referral_token"]
    player = await sign_up(client, database, age=timedelta(0), referral_token=token)

    answer = await claim(client, player, await create_code(client, slug))

    assert answer.json()["outcome"] == "bound"
    other = (await client.get(f"/v1/referrals/{link['referral_id']}")).json()
    assert (other["stage"], other["timeline"][-1]["reason"]) == ("LOST", "superseded")


async def test_a_mind_may_change_back(client: AsyncClient, database: Database) -> None:
    first, second = await create_code(client), await create_code(client)
    player = await sign_up(client, database, code=first)

    outcomes = [(await claim(client, player, code)).json()["outcome"] for code in (second, first)]

    assert outcomes == ["rebound", "rebound"]
    assert (await referral_of(client, player))["code"] == first


async def test_a_typed_code_goes_before_the_link_that_bound_the_player(
    client: AsyncClient, database: Database
) -> None:
    link = await click(client, await create_code(client))
    player = await sign_up(
        client, database, age=timedelta(0), referral_token=link["referral_token"]
    )
    code = await create_code(client)

    assert (await claim(client, player, code)).json()["outcome"] == "rebound"

    assert (await referral_of(client, player))["code"] == code


async def test_nobody_moves_once_something_was_earned(
    client: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database, code=await create_code(client))
    referral = await referral_of(client, player)
    async with database.reading() as session:
        row = await session.get_one(ReferralRow, UUID(referral["referral_id"]))
    await set_stage(database, row, Stage.HELD)

    answer = await claim(client, player, await create_code(client))

    assert_problem(answer, 409, "already_earned")
    assert (await referral_of(client, player))["referral_id"] == referral["referral_id"]


async def test_the_same_claim_again_answers_the_same(
    client: AsyncClient, database: Database
) -> None:
    code, player = await create_code(client), await sign_up(client, database)
    typed_at = ago(timedelta(minutes=1))

    answers = await asyncio.gather(
        *(claim(client, player, code, occurred_at=typed_at) for _ in range(5))
    )
    again = await claim(client, player, code)

    assert {answer.json()["outcome"] for answer in answers} == {"bound"}
    assert len({answer.json()["referral_id"] for answer in answers}) == 1
    assert again.json() == {**answers[0].json(), "outcome": "known"}


async def test_a_claim_received_before_the_signup_is_decided_with_it(
    client: AsyncClient, database: Database
) -> None:
    code, body = await create_code(client), signup(occurred_at=ago(HOUR))

    early = await claim(client, body["player_id"], code)
    await client.post("/v1/events/signups", json=body)
    await route(database, body["player_id"])

    assert early.json() == {"outcome": "waiting", "referral_id": None, "code": code}
    assert (await referral_of(client, body["player_id"]))["code"] == code
    outcomes = [one["outcome"] for one in await attribution_log(client, body["player_id"])]
    assert outcomes == ["waiting", "bound"]


async def test_a_claim_counts_however_often_its_player_followed_links(
    client: AsyncClient, database: Database
) -> None:
    code, body = await create_code(client), signup(occurred_at=ago(timedelta(0)))
    other, visitor = await create_code(client), unique("visitor")
    await claim(client, body["player_id"], code)
    for _ in range(MAX_TOUCHES + 1):
        link = await click(client, other, visitor)

    await client.post("/v1/events/signups", json=body | {"referral_token": link["referral_token"]})
    await route(database, body["player_id"])

    assert (await referral_of(client, body["player_id"]))["code"] == code


async def test_repeating_a_pending_claim_returns_its_decision(
    client: AsyncClient, database: Database
) -> None:
    code, body = await create_code(client), signup(occurred_at=ago(HOUR))
    player, typed_at = body["player_id"], ago(timedelta(minutes=1))

    early = [await claim(client, player, code, occurred_at=typed_at) for _ in range(2)]
    await client.post("/v1/events/signups", json=body)
    await route(database, player)
    again = await claim(client, player, code, occurred_at=typed_at)

    outcome = [answer.json()["outcome"] for answer in (*early, again)]
    assert outcome == ["waiting", "waiting", "known"]
    assert [one["outcome"] for one in await attribution_log(client, player)] == [
        "waiting",
        "bound",
        "known",
    ]


async def test_a_claim_that_is_faster_than_the_courier_is_decided_with_the_signup(
    client: AsyncClient, database: Database
) -> None:
    code, body = await create_code(client), signup(occurred_at=ago(HOUR))
    await client.post("/v1/events/signups", json=body)

    answer = await claim(client, body["player_id"], code)
    await route(database, body["player_id"])

    assert answer.json()["outcome"] == "known"
    outcome = {
        one["attempt"]: one["outcome"] for one in await attribution_log(client, body["player_id"])
    }
    assert outcome == {"signup": "bound", "claim": "known"}


async def test_refuses_a_players_own_code_and_unknown_ones(
    client: AsyncClient, database: Database
) -> None:
    player = await sign_up(client, database)
    own = (await client.post("/v1/codes", json={"player_id": player})).json()["code"]

    assert_problem(await claim(client, player, own), 409, "self_referral")
    assert_problem(await claim(client, player, "NOBODYS"), 404, "unknown_code")
    assert_problem(await claim(client, player, "!"), 404, "unknown_code")
    assert_problem(await claim(client, unique("player"), "NOBODYS"), 404, "unknown_code")

    outcomes = [one["outcome"] for one in await attribution_log(client, player)]
    assert outcomes == ["no_touch", "self", "unknown_code", "unknown_code"]


async def _delivered_signals(database: Database, referral_id: str) -> set[str | None]:
    query = select(Delivery.signal).where(Delivery.referral_id == UUID(referral_id))
    async with database.reading() as session:
        return set(await session.scalars(query))
