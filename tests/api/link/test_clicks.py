"""Clicks: a person gets one invitation, a bot none, and nobody is redirected elsewhere."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select

from db.engine import Database
from db.tables import Delivery, ReferralRow, TimelineRow
from referrals.attribution.tokens import TokenOutcome, Tokens
from runtime.settings import Settings
from tests.api.bodies import assert_problem, create_code, publish_campaign, unique
from tests.events import events_of
from tests.fixtures.api_client import browser
from tests.user_agents import GOOGLEBOT, LINK_PREVIEW, LINUX

CRAWLERS = (
    {"User-Agent": GOOGLEBOT},
    {"User-Agent": LINK_PREVIEW},
    {"User-Agent": "WhatsApp/2.23.20.0"},
    {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
    {"User-Agent": "TelegramBot (like TwitterBot)"},
)
ONLY_ASKING = (
    {"User-Agent": "curl/8.5.0"},
    {"User-Agent": ""},
)
SPECULATIONS = (
    {"User-Agent": LINUX, "Purpose": "prefetch"},
    {"User-Agent": LINUX, "Sec-Purpose": "prefetch;prerender"},
    {"User-Agent": LINUX, "Sec-Purpose": "prefetch;anonymous-client-ip"},
    {"User-Agent": LINUX, "X-Purpose": "preview"},
)


def click(code: str, **changes: object) -> dict[str, object]:
    return {"code": code, "visitor_id": unique("visitor"), "platform": "ios", **changes}


async def test_a_click_of_an_app_invites_once(client: AsyncClient, settings: Settings) -> None:
    body = click(await create_code(client), ip="203.0.113.1", device_id="d")
    first = await client.post("/v1/clicks", json=body)
    again = await client.post("/v1/clicks", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    result = first.json()
    assert result["workflow_id"] == f"referral:{result['referral_id']}"
    tokens = Tokens(settings.token_key.get_secret_value())
    now = datetime.now(UTC)
    reading = tokens.read(result["referral_token"], at=now)
    assert (reading.outcome, str(reading.subject)) == (TokenOutcome.VALID, result["referral_id"])
    later = tokens.read(result["referral_token"], at=now + timedelta(days=30, seconds=1))
    assert later.outcome is TokenOutcome.EXPIRED


async def test_equal_clicks_at_once_make_one_referral_with_its_story(
    client: AsyncClient, database: Database
) -> None:
    body = click(await create_code(client))
    answers = await asyncio.gather(*(client.post("/v1/clicks", json=body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    (referral_id,) = {UUID(answer.json()["referral_id"]) for answer in answers}
    async with database.reading() as session:
        for rows, owner in (
            (TimelineRow, TimelineRow.referral_id == referral_id),
            (Delivery, Delivery.referral_id == referral_id),
        ):
            counted = await session.scalar(select(func.count()).select_from(rows).where(owner))
            assert counted == 1
    types = [event.type for event in await events_of(database, referral_id)]
    assert types[:2] == ["CodeClicked", "ReferralInvited"]
    assert types[2:] == ["CodeClicked"] * 9


async def test_an_invitation_whose_token_has_expired_makes_room_for_a_new_one(
    client: AsyncClient, owner_database: Database
) -> None:
    body = click(await create_code(client))
    first = (await client.post("/v1/clicks", json=body)).json()
    async with owner_database.transaction() as session:
        row = await session.get(ReferralRow, UUID(first["referral_id"]))
        assert row is not None
        row.invited_at -= timedelta(days=30)
    again = await client.post("/v1/clicks", json=body)
    assert again.status_code == 201
    assert again.json()["referral_id"] != first["referral_id"]


async def test_stores_a_visitor_only_as_a_hash(client: AsyncClient, database: Database) -> None:
    body = click(await create_code(client))
    result = (await client.post("/v1/clicks", json=body)).json()
    async with database.reading() as session:
        query = select(ReferralRow.visitor).where(ReferralRow.id == UUID(result["referral_id"]))
        visitor = await session.scalar(query)
    assert visitor is not None
    assert visitor.startswith("hm1:")


async def test_a_link_leads_a_person_to_the_destination_with_a_token(
    client: AsyncClient, app: FastAPI, database: Database
) -> None:
    code = await create_code(client, await publish_campaign(client))
    async with browser(app) as person:
        first = await person.get(f"/r/{code.lower()}?next=https://evil.example")
        again = await person.get(f"/r/{code}")
    assert first.status_code == 302
    target = urlsplit(first.headers["location"])
    assert (target.scheme, target.netloc, target.path) == ("https", "book.example", "/signup")
    query = parse_qs(target.query)
    assert query["lang"] == ["en"]
    assert query["referral_token"] == [first.cookies["referral_token"]]
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["cache-control"] == "no-store"
    for cookie in first.headers.get_list("set-cookie"):
        assert {"HttpOnly", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert await referrals_of(database, code) == 1


async def test_two_people_get_an_invitation_each(
    client: AsyncClient, app: FastAPI, database: Database
) -> None:
    code = await create_code(client)
    for _ in range(2):
        async with browser(app) as person:
            await person.get(f"/r/{code}")
    assert await referrals_of(database, code) == 2


@pytest.mark.parametrize("headers", ONLY_ASKING)
async def test_a_link_leads_a_program_on_without_an_invitation(
    client: AsyncClient, app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    code = await create_code(client, await publish_campaign(client))
    async with browser(app, **headers) as program:
        answer = await program.get(f"/r/{code}")
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://book.example/signup?lang=en"
    assert "set-cookie" not in answer.headers
    assert await referrals_of(database, code) == 0


@pytest.mark.parametrize("headers", CRAWLERS)
async def test_a_crawler_gets_a_page_and_no_invitation(
    client: AsyncClient, app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    code = await create_code(client, await publish_campaign(client))
    async with browser(app, **headers) as program:
        answer = await program.get(f"/r/{code}")
    assert answer.status_code == 200
    assert 'property="og:title"' in answer.text
    assert "referral_token" not in answer.text
    assert "set-cookie" not in answer.headers
    assert await referrals_of(database, code) == 0


async def test_a_head_request_invites_nobody(
    client: AsyncClient, app: FastAPI, database: Database
) -> None:
    code = await create_code(client)
    async with browser(app) as person:
        assert (await person.head(f"/r/{code}")).status_code == 302
    assert await referrals_of(database, code) == 0


@pytest.mark.parametrize("headers", [{}, CRAWLERS[0], ONLY_ASKING[0]])
async def test_an_unknown_or_ended_code_gets_a_page_for_people(
    client: AsyncClient, app: FastAPI, headers: dict[str, str]
) -> None:
    slug = await publish_campaign(client)
    code = await create_code(client, slug)
    await client.post(f"/v1/campaigns/{slug}/end", json={"reason": "over"})
    async with browser(app, **headers) as visitor:
        unknown = await visitor.get("/r/NOSUCHCODE")
        odd = await visitor.get("/r/%3Cscript%3E")
        ended = await visitor.get(f"/r/{code}")
    assert [unknown.status_code, odd.status_code, ended.status_code] == [404, 404, 410]
    for answer in (unknown, odd, ended):
        assert answer.headers["content-type"].startswith("text/html")
        assert "location" not in answer.headers
        assert "<script" not in answer.text
    assert_problem(await client.post("/v1/clicks", json=click(code)), 410, "campaign_ended")


@pytest.mark.parametrize("headers", SPECULATIONS)
async def test_a_speculative_load_is_refused_so_that_its_person_asks_again(
    client: AsyncClient, app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    code = await create_code(client)
    async with browser(app, **headers) as visitor:
        answer = await visitor.get(f"/r/{code}")
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert await referrals_of(database, code) == 0


@pytest.mark.parametrize("headers", [{}, CRAWLERS[0], ONLY_ASKING[0]])
async def test_an_offer_to_come_says_when_it_begins(
    client: AsyncClient, app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    slug = await publish_campaign(client, starts_at="2099-03-01T00:00:00Z")
    code = await create_code(client, slug)
    async with browser(app, **headers) as visitor:
        answers = [await visitor.get(f"/r/{code}") for _ in range(100)]
        german = await visitor.get(f"/r/{code}?lang=de")
    assert {answer.status_code for answer in answers} == {404}, "an early visit is no miss"
    assert "This offer has not begun yet" in answers[0].text
    assert "March 1, 2099" in answers[0].text
    assert 'datetime="2099-03-01T00:00:00+00:00"' in answers[0].text
    assert "1. März 2099" in german.text
    assert_problem(await client.post("/v1/clicks", json=click(code)), 409, "campaign_not_begun")
    assert await referrals_of(database, code) == 0


@pytest.mark.parametrize("headers", [{}, CRAWLERS[0], ONLY_ASKING[0]])
async def test_a_paused_offer_says_so_until_it_is_over(
    client: AsyncClient, app: FastAPI, headers: dict[str, str]
) -> None:
    slug = await publish_campaign(client)
    code = await create_code(client, slug)
    await client.post(f"/v1/campaigns/{slug}/pause")
    async with browser(app, **headers) as visitor:
        paused = await visitor.get(f"/r/{code}")
    assert (paused.status_code, "This offer is paused" in paused.text) == (410, True)
    assert_problem(await client.post("/v1/clicks", json=click(code)), 410, "campaign_paused")
    await client.post(f"/v1/campaigns/{slug}/end")
    async with browser(app, **headers) as visitor:
        assert "This offer is over" in (await visitor.get(f"/r/{code}")).text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"platform": "fax"}, "platform"),
        ({"visitor_id": ""}, "visitor_id"),
        ({"visitor_id": 5}, "visitor_id"),
        ({"code": "nul\0"}, "code"),
        ({"referral_token": "x"}, "referral_token"),
    ],
)
async def test_refuses_a_bad_click(
    client: AsyncClient, database: Database, change: dict[str, object], field: str
) -> None:
    code = await create_code(client)
    answer = await client.post("/v1/clicks", json=click(code) | change)
    assert_problem(answer, 422, "validation_failed", field)
    assert await referrals_of(database, code) == 0


async def referrals_of(database: Database, code: str) -> int:
    async with database.reading() as session:
        query = select(func.count()).where(ReferralRow.code == code)
        return (await session.execute(query)).scalar_one()


async def test_tells_a_program_that_it_counts_as_one(app: FastAPI, client: AsyncClient) -> None:
    code = await create_code(client)
    async with browser(app, "curl/8.5.0") as curl:
        told = await curl.get(f"/r/{code}")
    async with browser(app) as person:
        followed = await person.get(f"/r/{code}")
    assert told.status_code == followed.status_code == 302
    assert told.headers["content-type"].startswith("text/plain")
    assert "counts as a program's, so it made no invitation" in told.text
    assert "referral_token" not in told.headers["location"]
    assert followed.content == b""
