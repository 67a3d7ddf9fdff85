"""Confirmed matches: each counts for one person who was asked, and costs nobody else theirs."""

import pytest
from httpx import AsyncClient

from db.engine import Database
from tests.api.attribution_steps import NO_TIME_AGO, attribution_log, claim, referral_of, sign_up
from tests.api.bodies import create_code, publish_campaign, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    PHONE_TRAITS,
    a_match,
    confirm,
    follow_link,
    resolve,
    unique_ip,
)


async def test_a_match_refers_one_person(client: AsyncClient, database: Database) -> None:
    _, token = await a_match(client)
    await confirm(client, token)
    first, second = [
        await sign_up(client, database, age=NO_TIME_AGO, referral_token=token) for _ in range(2)
    ]
    outcomes = [(await attribution_log(client, player))[0]["outcome"] for player in (first, second)]
    assert outcomes == ["bound", "superseded"]


async def test_a_yes_counts_whatever_the_id_of_the_signup_that_waits_for_it(
    client: AsyncClient, database: Database
) -> None:
    code, token = await a_match(client)
    player = await sign_up(
        client, database, age=NO_TIME_AGO, referral_token=token, event_id="answer"
    )
    await confirm(client, token)

    assert (await referral_of(client, player))["code"] == code


async def test_a_match_that_a_typed_code_goes_before_is_outranked_and_not_used_up(
    client: AsyncClient, database: Database
) -> None:
    _, token = await a_match(client)
    await confirm(client, token)
    player = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)
    code = await create_code(client)

    assert (await claim(client, player, code)).json()["outcome"] == "rebound"

    weighed = (await referral_of(client, player))["attribution"]["candidates"]
    assert {one["method"]: one["outcome"] for one in weighed} == {
        "typed_code": "won",
        "probabilistic": "outranked",
    }


@pytest.mark.parametrize("answers", [[], [False]])
async def test_a_neighbours_invitation_is_not_lost_without_a_yes(
    client: AsyncClient, database: Database, answers: list[bool]
) -> None:
    campaign, ip = await publish_campaign(client, starts_at="2020-01-01T00:00:00Z"), unique_ip()
    neighbours_code = await create_code(client, campaign)
    link = await follow_link(client, neighbours_code, ip=ip, **BROWSER_TRAITS)
    asked = (await resolve(client, **PHONE_TRAITS, ip=ip))["referral_token"]
    for answer in answers:
        await confirm(client, asked, confirmed=answer)
    own = await create_code(client)

    await sign_up(client, database, age=NO_TIME_AGO, referral_token=asked, code=own)
    # The promise holds although the campaign takes no new referral.
    await client.post(f"/v1/campaigns/{campaign}/end")
    neighbour = await sign_up(client, database, age=NO_TIME_AGO, referral_token=link)

    assert (await referral_of(client, neighbour))["code"] == neighbours_code


async def test_a_yes_is_to_one_code_whatever_else_its_visitor_followed(
    client: AsyncClient, database: Database
) -> None:
    steps = [{"methods": [method], "touch": "first"} for method in ("typed_code", "probabilistic")]
    policy = {"order": steps, "match_window": "PT5S"}
    campaign = await publish_campaign(client, attribution=policy)
    other, visitor, ip = (
        await create_code(client, campaign),
        unique("visitor"),
        unique_ip(),
    )
    await follow_link(client, other, visitor_id=visitor, ip=unique_ip(), **BROWSER_TRAITS)
    code = await create_code(client, campaign)
    await follow_link(client, code, visitor_id=visitor, ip=ip, **BROWSER_TRAITS)
    token = (await resolve(client, **PHONE_TRAITS, ip=ip))["referral_token"]
    await confirm(client, token)
    player = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)
    assert (await referral_of(client, player))["code"] == code


async def test_a_yes_does_not_count_for_another_phone_that_looks_the_same(
    client: AsyncClient, database: Database
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    mine, neighbours_code = [await resolve(client, **PHONE_TRAITS, ip=ip) for _ in range(2)]
    assert mine["code"] == neighbours_code["code"] == code

    await confirm(client, mine["referral_token"])
    other = await sign_up(
        client, database, age=NO_TIME_AGO, referral_token=neighbours_code["referral_token"]
    )
    friend = await sign_up(client, database, age=NO_TIME_AGO, referral_token=mine["referral_token"])

    assert [one["outcome"] for one in await attribution_log(client, other)] == ["unconfirmed"]
    assert [one["outcome"] for one in await attribution_log(client, friend)] == ["bound"]


async def test_a_match_refers_one_person_even_if_a_typed_code_outranked_it(
    client: AsyncClient, database: Database
) -> None:
    _, token = await a_match(client)
    await confirm(client, token)
    typed = await create_code(client)
    first = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token, code=typed)
    second = await sign_up(client, database, age=NO_TIME_AGO, referral_token=token)

    outcomes = [(await attribution_log(client, player))[0]["outcome"] for player in (first, second)]
    assert outcomes == ["bound", "superseded"]
