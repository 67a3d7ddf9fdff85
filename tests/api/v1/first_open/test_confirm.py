"""Confirmation of a match by the person: only a yes counts, and only once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from httpx import AsyncClient
from sqlalchemy import select

from courier.route_player import route_player
from db import locks
from db.engine import Database
from db.tables import TouchRow
from domain.attribution.policy import Method
from runtime.settings import Settings
from tests.api.attribution_steps import (
    HOUR,
    NO_TIME_AGO,
    ago,
    attribution_log,
    make_deposit,
    referral_of,
    route,
    sign_up,
)
from tests.api.bodies import assert_problem, create_code, publish_campaign, signup, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    NO_MATCH_ANSWER,
    PHONE_TRAITS,
    a_match,
    confirm,
    follow_link,
    resolve,
    tampered_with,
    tokens_of,
    unique_ip,
)
from tests.builders import TOKENS
from tests.fixtures.database_activity import wait_until_blocked


async def test_a_match_that_was_confirmed_binds_the_signup(
    client: AsyncClient, database: Database
) -> None:
    code, token = await a_match(client)
    assert await confirm(client, token) == {
        "code": code,
        "confirmed": True,
        "outcome": "waiting",
    }
    player = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)
    referral = await referral_of(client, player)
    assert referral["code"] == code
    assert referral["attribution"]["method"] == "probabilistic"
    assert referral["attribution"]["confidence"] == 0.58


async def test_confirming_binds_a_signup_that_arrived_before(
    client: AsyncClient, database: Database
) -> None:
    code, token = await a_match(client)
    player = await sign_up(client, database, referral_token=token)
    await make_deposit(client, database, player)
    assert (await confirm(client, token))["outcome"] == "bound"
    assert (await referral_of(client, player))["code"] == code
    assert [attempt["outcome"] for attempt in await attribution_log(client, player)] == [
        "unconfirmed",
        "bound",
    ]


async def test_a_match_that_was_declined_binds_nobody(
    client: AsyncClient, database: Database
) -> None:
    code, token = await a_match(client)
    before = await sign_up(client, database, referral_token=token)
    result = await confirm(client, token, confirmed=False)
    assert result == {"code": code, "confirmed": False, "outcome": "declined"}
    after = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)
    assert [attempt["outcome"] for attempt in await attribution_log(client, before)] == [
        "unconfirmed"
    ]
    assert [attempt["outcome"] for attempt in await attribution_log(client, after)] == ["declined"]


async def test_every_answer_is_in_the_log_and_kept_as_a_touch(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    for answer, outcome, refusal in ((True, "waiting", None), (False, "declined", "declined")):
        _, token = await a_match(client)
        match = tokens_of(settings).read(token, at=datetime.now(UTC)).subject
        await confirm(client, token, confirmed=answer)

        attempt = (await client.get(f"/v1/attributions/confirm:{match}")).json()
        async with database.reading() as session:
            query = select(TouchRow).where(TouchRow.answers_touch_id == match)
            touch = (await session.scalars(query)).one()
        assert (attempt["attempt"], attempt["outcome"]) == ("confirm", outcome)
        assert (touch.is_confirmed, touch.refusal) == (answer, refusal)


async def test_a_declined_match_is_not_asked_again(client: AsyncClient) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    phone = {**PHONE_TRAITS, "ip": ip, "device_id": unique("device")}
    token = (await resolve(client, **phone))["referral_token"]
    await confirm(client, token, confirmed=False)
    assert await resolve(client, **phone) == NO_MATCH_ANSWER


async def test_the_same_answer_again_is_the_same_and_the_opposite_is_refused(
    client: AsyncClient, database: Database
) -> None:
    _, token = await a_match(client)
    player = await sign_up(client, database, referral_token=token)
    first = await confirm(client, token)
    assert await confirm(client, token) == first | {"outcome": "bound"}
    opposite = {"referral_token": token, "confirmed": False}
    answer = await client.post("/v1/attributions/confirm", json=opposite)
    assert_problem(answer, 409, "already_answered")
    assert len(await attribution_log(client, player)) == 2
    assert (await referral_of(client, player))["stage"] == "SIGNED_UP"


async def test_of_a_yes_and_a_no_at_once_one_counts(client: AsyncClient) -> None:
    _, token = await a_match(client)
    answers = await asyncio.gather(
        *(
            client.post(
                "/v1/attributions/confirm",
                json={"referral_token": token, "confirmed": number % 2 == 0},
            )
            for number in range(8)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200] * 4 + [409] * 4
    assert statuses in ([200, 409] * 4, [409, 200] * 4)


async def test_a_signup_and_the_answer_at_once_bind_in_the_end(
    client: AsyncClient, database: Database
) -> None:
    for _ in range(6):
        code, token = await a_match(client)
        player, _ = await asyncio.gather(
            sign_up(client, database, referral_token=token), confirm(client, token)
        )
        assert (await referral_of(client, player))["code"] == code


async def test_a_yes_long_after_the_signup_is_late(client: AsyncClient, database: Database) -> None:
    campaign = await publish_campaign(client, attribution={"claim_grace": "PT30M"})
    _, token = await a_match(client, campaign)
    player = await sign_up(client, database, age=timedelta(hours=0.9), referral_token=token)
    outcomes = [(await confirm(client, token))["outcome"] for _ in range(2)]
    assert outcomes == ["late_code"] * 2
    assert [attempt["outcome"] for attempt in await attribution_log(client, player)] == [
        "unconfirmed",
        "late_code",
    ]


async def test_a_yes_long_after_the_signup_is_late_even_if_the_signup_arrives_later(
    client: AsyncClient, database: Database
) -> None:
    campaign = await publish_campaign(client, attribution={"claim_grace": "PT30M"})
    _, token = await a_match(client, campaign)
    await confirm(client, token)
    player = await sign_up(client, database, age=timedelta(hours=0.9), referral_token=token)
    assert [attempt["outcome"] for attempt in await attribution_log(client, player)] == [
        "late_code"
    ]


async def test_a_token_that_is_not_a_match_needs_no_confirmation(client: AsyncClient) -> None:
    code = await create_code(client)
    token = await follow_link(client, code)
    result = await confirm(client, token)
    assert result == {"code": code, "confirmed": True, "outcome": "guaranteed"}


async def test_a_token_that_is_old_or_not_ours_is_named(
    client: AsyncClient, settings: Settings
) -> None:
    _, token = await a_match(client)
    tokens, now = tokens_of(settings), datetime.now(UTC)
    subject = tokens.read(token, at=now).subject
    assert subject is not None
    method, later = Method.PROBABILISTIC, now + timedelta(days=1)
    for bad in (
        tampered_with(token),
        "x",
        tokens.issue(subject, expires_at=now - timedelta(seconds=2), method=method),
        tokens.issue(uuid4(), expires_at=later, method=method),
        tokens.issue(uuid4(), expires_at=later),
    ):
        body = {"referral_token": bad, "confirmed": True}
        answer = await client.post("/v1/attributions/confirm", json=body)
        assert_problem(answer, 422, "validation_failed", "referral_token")


async def test_an_answer_is_yes_or_no(client: AsyncClient) -> None:
    for confirmed_ in (None, "yes", 1):
        body = {"referral_token": "x", "confirmed": confirmed_}
        answer = await client.post("/v1/attributions/confirm", json=body)
        assert_problem(answer, 422, "validation_failed", "confirmed")


async def test_a_yes_and_another_signup_with_its_match_do_not_wait_in_a_circle(
    client: AsyncClient, database: Database
) -> None:
    _, token = await a_match(client)
    bodies = [signup(occurred_at=ago(HOUR), referral_token=token) for _ in range(2)]
    first, second = sorted(bodies, key=lambda body: body["player_id"])
    again = {**second, "event_id": unique("signup"), "occurred_at": ago(NO_TIME_AGO)}
    for body in (first, second, again):
        await client.post("/v1/events/signups", json=body)
        if body is not again:
            await route(database, body["player_id"])

    async with database.transaction() as session:
        await locks.lock_players(session, second["player_id"])
        answering = asyncio.create_task(confirm(client, token))
        await wait_until_blocked(database, session)
        now = datetime.now(UTC)
        await route_player(session, second["player_id"], tokens=TOKENS, now=now)

    assert (await answering)["outcome"] == "bound"
    assert (await referral_of(client, first["player_id"]))["stage"] == "SIGNED_UP"
