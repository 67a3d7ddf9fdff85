"""A first open without a token: a match by network and device, which the person must confirm."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import text

from api.app import build_app
from api.http.dependencies import current_time
from db.engine import Database
from domain.attribution.policy import Method
from referrals.attribution.first_open.resolve import SELECT_PLAYER_OF_DEVICE
from referrals.attribution.tokens import TokenOutcome, Tokens
from runtime.settings import Settings
from tests.api.attribution_steps import attribution_log, sign_up
from tests.api.bodies import create_code, publish_campaign, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    NO_MATCH_ANSWER,
    PHONE_TRAITS,
    follow_link,
    logged_outcomes,
    resolve,
    touches_of,
    unique_ip,
)
from tests.fixtures.api_client import browser
from tests.user_agents import safari

SAFARI = safari(system="18_5", version="18.5")


async def test_a_click_behind_the_same_network_by_the_same_device_is_asked_about(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, ip, device = await create_code(client), unique_ip(), unique("device")
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    result = await resolve(client, **PHONE_TRAITS, ip=ip, device_id=device)
    token = result.pop("referral_token")
    assert result == {
        "code": code,
        "method": "probabilistic",
        "confidence": 0.58,
        "guaranteed": False,
        "ask": f"Did {code} invite you?",
    }
    (touch,) = await touches_of(database, settings, device)
    tokens = Tokens(settings.token_key.get_secret_value())
    reading = tokens.read(token, at=datetime.now(UTC))
    assert (reading.outcome, reading.method) == (TokenOutcome.VALID, Method.PROBABILISTIC)
    assert (reading.subject, touch.refusal) == (touch.id, "unconfirmed")
    assert touch.evidence == {"agreed": ["os_version", "locale", "form"]}


@pytest.mark.parametrize(
    ("result", "platform"),
    [({"os": "iOS 18.5"}, "ios"), ({"os": "iOS", "os_version": "18.5.1"}, "ios"), ({}, None)],
)
async def test_a_platform_that_is_left_out_is_the_one_that_the_system_names(
    client: AsyncClient,
    database: Database,
    settings: Settings,
    result: dict[str, str],
    platform: str | None,
) -> None:
    code, ip, device = await create_code(client), unique_ip(), unique("device")
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    phone = {**PHONE_TRAITS, "platform": None, "os_version": None, **result}
    answer = await resolve(client, **phone, ip=ip, device_id=device)
    assert (answer["code"], answer["method"]) == (code, "probabilistic")
    (touch,) = await touches_of(database, settings, device)
    assert touch.platform == platform


async def test_the_user_agent_alone_is_enough_to_ask_about_a_match(
    client: AsyncClient,
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, user_agent=SAFARI)
    result = await resolve(client, **PHONE_TRAITS, ip=ip)
    assert (result["ask"], result["confidence"]) == (f"Did {code} invite you?", 0.52)


async def test_a_network_alone_matches_nothing(client: AsyncClient) -> None:
    ip = unique_ip()
    await follow_link(client, await create_code(client), ip=ip)
    assert await resolve(client, **PHONE_TRAITS, ip=ip) == NO_MATCH_ANSWER
    assert await resolve(client, ip=ip) == NO_MATCH_ANSWER


async def test_a_device_behind_another_network_matches_nothing(client: AsyncClient) -> None:
    code = await create_code(client)
    await follow_link(client, code, ip=unique_ip(), **BROWSER_TRAITS)
    assert await resolve(client, **PHONE_TRAITS, ip=unique_ip()) == NO_MATCH_ANSWER
    assert await resolve(client, **PHONE_TRAITS) == NO_MATCH_ANSWER


@pytest.mark.parametrize("other", [BROWSER_TRAITS, {"os": "Windows", "locale": "de-DE"}, {}])
async def test_two_codes_behind_one_network_match_nothing_whatever_their_devices(
    client: AsyncClient, database: Database, settings: Settings, other: dict[str, str]
) -> None:
    ip, device = unique_ip(), unique("device")
    await follow_link(client, await create_code(client), ip=ip, **BROWSER_TRAITS)
    await follow_link(client, await create_code(client), ip=ip, **other)
    assert await resolve(client, **PHONE_TRAITS, ip=ip, device_id=device) == NO_MATCH_ANSWER
    touches = await touches_of(database, settings, device)
    assert [touch.refusal for touch in touches] == ["ambiguous"]
    assert await logged_outcomes(database, touches) == ["ambiguous"]


async def test_an_accepted_invitation_is_not_a_match_any_more(
    client: AsyncClient, database: Database
) -> None:
    ip, mine = unique_ip(), await create_code(client)
    taken = await follow_link(client, await create_code(client), ip=ip, **BROWSER_TRAITS)
    await sign_up(client, database, age=timedelta(0), referral_token=taken)
    assert await resolve(client, **PHONE_TRAITS, ip=ip) == NO_MATCH_ANSWER
    await follow_link(client, mine, ip=ip, **BROWSER_TRAITS)
    assert (await resolve(client, **PHONE_TRAITS, ip=ip))["code"] == mine


async def test_the_campaign_says_how_long_a_click_may_be_matched(client: AsyncClient) -> None:
    narrow = await publish_campaign(client, attribution={"match_window": "PT0S"})
    ip = unique_ip()
    await follow_link(client, await create_code(client, narrow), ip=ip, **BROWSER_TRAITS)
    assert await resolve(client, **PHONE_TRAITS, ip=ip) == NO_MATCH_ANSWER


async def test_the_same_phone_asking_again_gets_the_same_question(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, ip, device = await create_code(client), unique_ip(), unique("device")
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    first = await resolve(client, **PHONE_TRAITS, ip=ip, device_id=device)
    # The phone has left the network, and a neighbour has followed another code.
    await follow_link(client, await create_code(client), ip=ip, **BROWSER_TRAITS)
    again = await resolve(client, **PHONE_TRAITS, ip=unique_ip(), device_id=device)
    assert first["code"] == code
    assert again == first
    assert len(await touches_of(database, settings, device)) == 1


async def test_a_phone_is_not_asked_again_once_another_player_accepted_the_invitation(
    client: AsyncClient, database: Database
) -> None:
    ip, device = unique_ip(), unique("device")
    token = await follow_link(client, await create_code(client), ip=ip, **BROWSER_TRAITS)
    first = await resolve(client, **PHONE_TRAITS, ip=ip, device_id=device)
    await sign_up(client, database, age=timedelta(0), referral_token=token)

    assert first["ask"] is not None
    assert await resolve(client, **PHONE_TRAITS, ip=ip, device_id=device) == NO_MATCH_ANSWER


async def test_a_phone_is_asked_the_same_for_an_hour_and_not_for_ever(
    client: AsyncClient, settings: Settings, database: Database
) -> None:
    app, ip, device = build_app(settings, database), unique_ip(), unique("device")
    code = await create_code(client)
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    now = datetime.now(UTC)
    app.dependency_overrides[current_time] = lambda: now
    headers = client.headers
    later = AsyncClient(transport=ASGITransport(app=app), base_url=client.base_url, headers=headers)

    result = []
    for waited in (timedelta(minutes=119), timedelta(minutes=59), timedelta(minutes=1)):
        now += waited
        result.append((await resolve(later, **PHONE_TRAITS, ip=ip, device_id=device))["code"])

    assert result == [code, code, None]


async def test_each_of_two_phones_of_one_model_is_asked(client: AsyncClient) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    phones = [unique("device") for _ in range(2)]
    tokens = {
        (await resolve(client, **PHONE_TRAITS, ip=ip, device_id=phone))["referral_token"]
        for phone in phones
    }
    assert len(tokens) == 2


async def test_a_match_passed_off_as_a_token_from_a_clipboard_counts_no_more(
    client: AsyncClient, database: Database, settings: Settings
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    token = (await resolve(client, **PHONE_TRAITS, ip=ip, device_id=unique("device")))[
        "referral_token"
    ]
    device = unique("device")
    for field in ("clipboard_token", "cookie_token"):
        assert await resolve(client, **{field: token}, device_id=device) == NO_MATCH_ANSWER
    touches = await touches_of(database, settings, device)
    assert [touch.refusal for touch in touches] == ["not_accepted"] * 2


async def test_a_signup_with_an_unanswered_match_belongs_to_nobody(
    client: AsyncClient, database: Database
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    token = (await resolve(client, **PHONE_TRAITS, ip=ip))["referral_token"]
    player = await sign_up(client, database, age=timedelta(0), referral_token=token)
    (attempt,) = await attribution_log(client, player)
    assert attempt["outcome"] == "unconfirmed"


async def test_signups_of_a_device_are_found_by_index(owner_database: Database) -> None:
    async with owner_database.transaction() as session:
        await session.execute(text("set local enable_seqscan = off"))
        query = text(f"explain {SELECT_PLAYER_OF_DEVICE.text}")
        plan = "\n".join(await session.scalars(query, {"device_ids": ["hm1:0"]}))
    assert "ix_facts_signup_device" in plan


async def test_a_link_followed_in_safari_is_matched_by_its_headers(
    client: AsyncClient, app: FastAPI
) -> None:
    code, ip = await create_code(client), unique_ip()
    async with browser(app, SAFARI, ip=ip, **{"Accept-Language": "en-US,en;q=0.9"}) as phone:
        assert (await phone.get(f"/r/{code}")).status_code == 302
    result = await resolve(client, **PHONE_TRAITS, ip=ip)
    assert (result["code"], result["method"]) == (code, "probabilistic")
    german = {**PHONE_TRAITS, "locale": "de_DE"}
    assert await resolve(client, **german, ip=ip) == NO_MATCH_ANSWER


async def test_a_click_with_a_user_agent_stores_the_device_traits(
    client: AsyncClient,
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, user_agent=SAFARI, locale="en-US")
    assert (await resolve(client, **PHONE_TRAITS, ip=ip))["code"] == code


async def test_the_question_is_in_the_language_of_the_app(client: AsyncClient) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **{**BROWSER_TRAITS, "locale": "de-CH"})
    result = await resolve(client, **{**PHONE_TRAITS, "locale": "de_CH"}, ip=ip)
    assert result["ask"] == f"Hat {code} dich eingeladen?"
