"""Codes: one per player and campaign, with their offer in words and their shares."""

import asyncio

import pytest
from httpx import AsyncClient

from api.app import build_app
from db.migrate import upgrade
from domain.codes import ALPHABET
from referrals.access.audit import Actor
from runtime.settings import Settings
from tests.api.bodies import (
    assert_problem,
    campaign,
    create_code,
    publish_campaign,
    terms,
    unique,
)
from tests.fixtures.api_client import caller
from tests.fixtures.databases import DatabaseUrls, open_database
from tests.fixtures.keys import create_key

TERMS_PAGE = "https://book.example/terms"


async def test_gives_a_player_one_code_and_the_same_again(client: AsyncClient) -> None:
    body = {"player_id": unique("referrer")}
    first = await client.post("/v1/codes", json=body)
    again = await client.post("/v1/codes", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    code = first.json()["code"]
    assert set(code) <= set(ALPHABET)
    assert first.json() == {
        "code": code,
        "link": f"https://refer.example/r/{code}",
        "player_id": body["player_id"],
        "campaign": "default",
    }


async def test_concurrent_requests_create_one_code_for_a_player(client: AsyncClient) -> None:
    body = {"player_id": unique("referrer")}
    answers = await asyncio.gather(*(client.post("/v1/codes", json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["code"] for answer in answers}) == 1


async def test_gives_the_vanity_code_that_was_asked_for_to_one_player(client: AsyncClient) -> None:
    vanity = unique("Sam")
    player = unique("referrer")
    given = await client.post("/v1/codes", json={"player_id": player, "vanity": vanity})
    assert (given.status_code, given.json()["code"]) == (201, vanity.upper())
    again = await client.post("/v1/codes", json={"player_id": player, "vanity": vanity.lower()})
    assert again.status_code == 200
    other = {"player_id": unique("referrer"), "vanity": vanity}
    assert_problem(await client.post("/v1/codes", json=other), 409, "code_taken")
    second = {"player_id": player, "vanity": unique("Sam")}
    assert_problem(await client.post("/v1/codes", json=second), 409, "code_exists")


async def test_refuses_an_invalid_vanity_code(client: AsyncClient) -> None:
    for vanity in ("no", "with space", "émile", "x" * 33, "a/b", "nul\0", 7):
        body = {"player_id": unique("referrer"), "vanity": vanity}
        answer = await client.post("/v1/codes", json=body)
        assert_problem(answer, 422, "validation_failed", "vanity")


async def test_gives_no_code_of_a_campaign_that_is_not_there_or_not_open(
    client: AsyncClient,
) -> None:
    body = {"player_id": unique("referrer"), "campaign": unique("nothing")}
    assert_problem(await client.post("/v1/codes", json=body), 404, "unknown_campaign")
    draft = campaign()
    await client.post("/v1/campaigns", json=draft)
    body["campaign"] = draft["slug"]
    assert_problem(await client.post("/v1/codes", json=body), 409, "campaign_not_open")


async def test_shows_what_a_code_offers_in_words_and_in_any_case(client: AsyncClient) -> None:
    referee_reward = {"minor": 550, "currency": "USD"}
    slug = await publish_campaign(
        client,
        terms=terms(referee_reward=referee_reward, hold_period="PT36H"),
        link={"no_inducement_in": ["CA-ON"]},
    )
    code = await create_code(client, slug)
    answer = await client.get(f"/v1/codes/{code.lower()}")
    assert answer.json() == {
        "code": code,
        "campaign": slug,
        "active": True,
        "headline": "$10 for you and $5.50 for your friend when your friend deposits $10 or more",
        "terms": (
            "Your friend signs up within 30 days of following your link"
            " and deposits at least $10 within 30 days of signing up."
            " The reward is credited 36 hours after that. It is taken back"
            " if the deposit is refunded or charged back within 120 days."
        ),
        "terms_texts": [],
        "no_inducement_in": ["CA-ON"],
    }
    assert answer.headers["Vary"] == "Accept-Language"
    await client.post(f"/v1/campaigns/{slug}/pause")
    assert (await client.get(f"/v1/codes/{code}")).json()["active"] is False


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"terms_url": f"{TERMS_PAGE}/all"}, f"Further conditions apply: {TERMS_PAGE}/all The"),
        (
            {
                "terms_texts": [
                    {"jurisdiction": "US-NJ", "version": "nj-1", "url": f"{TERMS_PAGE}/nj"},
                    {"jurisdiction": "*", "version": "v1", "url": f"{TERMS_PAGE}/elsewhere"},
                ]
            },
            f"Further conditions apply: {TERMS_PAGE}/elsewhere The",
        ),
        ({}, "Further conditions apply. The"),
    ],
)
async def test_further_conditions_of_an_offer_lead_to_its_full_terms(
    client: AsyncClient, link: dict[str, object], said: str
) -> None:
    condition = {"field": "deposit.method", "op": "ne", "value": "voucher"}
    slug = await publish_campaign(client, terms=terms(when=condition), link=link)
    code = await create_code(client, slug)
    assert said in (await client.get(f"/v1/codes/{code}")).json()["terms"]


async def test_a_code_that_nobody_has_is_unknown_everywhere(client: AsyncClient) -> None:
    assert_problem(await client.get("/v1/codes/NOSUCHCODE"), 404, "unknown_code")
    click = {"code": "NOSUCHCODE", "visitor_id": "v", "platform": "web"}
    assert_problem(await client.post("/v1/clicks", json=click), 404, "unknown_code")
    share = {"code": "NOSUCHCODE", "channel": "mail"}
    assert_problem(await client.post("/v1/shares", json=share), 404, "unknown_code")


async def test_records_a_share(client: AsyncClient) -> None:
    code = await create_code(client)
    answer = await client.post("/v1/shares", json={"code": code.lower(), "channel": "mail"})
    assert (answer.status_code, answer.json()["code"]) == (202, code)


async def test_says_where_no_campaign_exists_yet_how_to_make_one(
    empty_urls: DatabaseUrls, settings: Settings
) -> None:
    await asyncio.to_thread(upgrade, empty_urls.owner)
    async with open_database(empty_urls.application) as database:
        async with database.transaction() as session:
            actor = Actor(name="tests", request_id=None, reason="a test")
            key = await create_key(session, owner="tests", scopes=["codes:write"], actor=actor)
        async with caller(build_app(settings, database), key) as client:
            unnamed = await client.post("/v1/codes", json={"player_id": "ann"})
            named = await client.post("/v1/codes", json={"player_id": "ann", "campaign": "spring"})
    assert_problem(unnamed, 404, "unknown_campaign")
    assert_problem(named, 404, "unknown_campaign")
    assert unnamed.json()["detail"] == (
        "There is no campaign default. Create and publish it by POST /v1/campaigns and"
        " POST /v1/campaigns/{slug}/publish, or name another one as `campaign`."
    )
    assert named.json()["detail"].startswith("There is no campaign spring. GET /v1/campaigns")


@pytest.mark.parametrize(
    "vanity", ["FUCKYOU", "sh1t", "Mi-er-da", "\uff33\uff28\uff29\uff34", "arschloch"]
)
async def test_gives_nobody_a_code_that_spells_a_profanity(
    client: AsyncClient, vanity: str
) -> None:
    body = {"player_id": unique("referrer"), "vanity": vanity}
    answer = await client.post("/v1/codes", json=body)
    assert_problem(answer, 422, "validation_failed")
    (error,) = answer.json()["errors"]
    assert error["field"] == "vanity"
    assert error["message"] == "Must not spell a profanity; choose another code"
