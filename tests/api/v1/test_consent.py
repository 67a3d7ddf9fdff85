"""Calls of people who do not let traits of their device and network be kept."""

from typing import Any, Final

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import FactRow, TouchRow
from tests.api.bodies import create_code, deposit, signup, unique
from tests.api.first_opens import BROWSER_TRAITS, PHONE_TRAITS, resolve, unique_ip
from tests.user_agents import LINUX

TRAITS: Final = {"ip": "203.0.113.9", "user_agent": LINUX, "device_id": "a-device"}


async def fact_of(database: Database, event_id: str) -> FactRow:
    async with database.reading() as session:
        found = await session.scalar(select(FactRow).where(FactRow.event_id == event_id))
    assert found is not None
    return found


@pytest.mark.parametrize("consent", [None, True, False])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("signups", signup(**TRAITS, email="a@mail.example", locale="de-AT")),
        (
            "deposits",
            deposit(ip="203.0.113.9", device_id="a-device", payment_instrument="a-card"),
        ),
    ],
)
async def test_an_event_keeps_device_and_network_unless_the_person_refuses(
    client: AsyncClient,
    database: Database,
    path: str,
    body: dict[str, Any],
    *,
    consent: bool | None,
) -> None:
    event = body | {"event_id": unique("event"), "player_id": unique("p"), "consent": consent}

    answers = [await client.post(f"/v1/events/{path}", json=event) for _ in range(2)]

    assert [answer.json()["status"] for answer in answers] == ["accepted", "duplicate"]
    stored = await fact_of(database, event["event_id"])
    kept = {"ip", "user_agent", "device_id"} & body.keys()
    beside = stored.matching or {}
    assert (kept & stored.body.keys()) == (set() if consent is False else kept)
    assert ({"ip", "network"} & beside.keys()) == (set() if consent is False else {"ip", "network"})
    assert "country" not in beside.get("origin", {}) or consent is not False
    assert {"email", "payment_instrument"} & stored.body.keys()
    assert "consent" not in stored.body


async def test_a_click_without_consent_invites_and_keeps_nothing_of_device_and_network(
    client: AsyncClient, database: Database
) -> None:
    code, ip = await create_code(client), unique_ip()
    body = {"code": code, "visitor_id": unique("visitor"), "platform": "ios", "consent": False}

    answer = await client.post("/v1/clicks", json=body | TRAITS | BROWSER_TRAITS | {"ip": ip})

    assert answer.status_code == 201
    async with database.reading() as session:
        touch = await session.scalar(select(TouchRow).where(TouchRow.code == code))
    assert touch is not None
    assert (touch.ip, touch.user_agent, touch.device_id, touch.device_traits) == (
        None,
        None,
        None,
        {},
    )
    # Another phone's first open finds nothing of it either.
    found = await resolve(client, **PHONE_TRAITS, ip=ip, device_id=unique("device"))
    assert found["code"] is None


async def test_a_first_open_without_consent_finds_its_token_and_matches_no_click(
    client: AsyncClient, database: Database
) -> None:
    code, ip = await create_code(client), unique_ip()
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web", "ip": ip}
    clicked = await client.post("/v1/clicks", json=click | BROWSER_TRAITS)
    token = clicked.json()["referral_token"]
    opened = {**PHONE_TRAITS, "ip": ip, "device_id": unique("device"), "consent": False}

    unmatched = await resolve(client, **opened)
    carried = await resolve(client, **opened, cookie_token=token)

    assert (unmatched["code"], carried["code"]) == (None, code)
    async with database.reading() as session:
        touches = await session.scalars(select(TouchRow).where(TouchRow.code == code))
        kept = {(t.method, t.ip is None, t.device_id, bool(t.device_traits)) for t in touches}
    assert kept == {("referral_token", False, None, True), ("cookie", True, None, False)}


@pytest.mark.parametrize("path", ["events/signups", "clicks", "attributions/resolve"])
async def test_consent_is_a_boolean(client: AsyncClient, path: str) -> None:
    answer = await client.post(f"/v1/{path}", json={"consent": "no"})

    assert answer.status_code == 422
    assert "consent" in {error["field"] for error in answer.json()["errors"]}
