"""Spellings of personal values: one value at every door, and never a lost event."""

# ruff: noqa: RUF001 - people write digits and letters of every script

from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.reporters import NOBODY
from db.tables import FactRow
from domain.intake.sources import DEFAULT_SOURCE
from referrals.intake import facts
from referrals.intake.events import SignupIn
from tests.api.bodies import create_code, deposit, signup, unique
from tests.api.first_opens import (
    BROWSER_TRAITS,
    PHONE_TRAITS,
    follow_link,
    resolve,
    unique_ip,
)

LONG_LIST = "203.0.113.9" + ", 198.51.100.1" * 9


async def post(client: AsyncClient, kind: str, body: dict[str, Any]) -> tuple[int, str]:
    answer = await client.post(f"/v1/events/{kind}", json=body)
    return answer.status_code, answer.json().get("status")


async def matching_of(database: Database, player_id: str) -> dict[str, Any]:
    query = select(FactRow.matching).where(FactRow.player_id == player_id)
    async with database.reading() as session:
        return (await session.scalars(query)).one() or {}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("ip", "203.0.113.9", LONG_LIST),
        ("ip", "2001:db8::1", "[2001:db8:0::1]:443"),
        ("phone", "+1 555 010 9999", "+١ ٥٥٥ ٠١٠ ٩٩٩٩"),
        ("phone", "+1 555 010 9999", "(555) 010-9999"),
        ("email", "ann@example.com", "ａｎｎ＠example.com"),
        ("full_name", "José Díaz", "Diaz, Jose"),
    ],
)
async def test_an_event_sent_again_in_another_spelling_is_a_duplicate(
    client: AsyncClient, field: str, one: str, other: str
) -> None:
    body = signup(**{field: one})

    assert await post(client, "signups", body) == (202, "accepted")
    assert await post(client, "signups", body | {field: other}) == (202, "duplicate")


async def test_another_value_under_the_same_id_stays_a_conflict(client: AsyncClient) -> None:
    body = signup(phone="+1 555 010 9999")

    assert await post(client, "signups", body) == (202, "accepted")
    assert (await post(client, "signups", body | {"phone": "+1 555 010 9998"}))[0] == 409


async def test_an_event_that_an_earlier_release_recorded_is_a_duplicate_when_sent_again(
    client: AsyncClient, database: Database, app: FastAPI
) -> None:
    body = signup(ip="203.0.113.9:443", phone="(555) 010-9999", email="Ann Lee <a@mac.com>")
    event = SignupIn.model_validate(body)
    fact = event.to_report(app.state.hasher, None, source=DEFAULT_SOURCE, reporter=NOBODY).fact
    async with database.transaction() as session:
        await facts.record_fact(session, fact, player_id=body["player_id"], door="http")
    assert await matching_of(database, body["player_id"]) == {}

    assert await post(client, "signups", body) == (202, "duplicate")


@pytest.mark.parametrize("kind", ["signups", "deposits"])
async def test_a_long_list_of_addresses_loses_no_event(
    client: AsyncClient, database: Database, kind: str
) -> None:
    player = unique("player")
    body = {"signups": signup, "deposits": deposit}[kind](player_id=player, ip=LONG_LIST)
    plain = deposit(player_id=unique("player"), ip="203.0.113.9")

    assert await post(client, kind, body) == (202, "accepted")
    assert await post(client, "deposits", plain) == (202, "accepted")

    assert await matching_of(database, player) == await matching_of(database, plain["player_id"])


async def test_a_first_open_finds_the_click_of_its_household_however_the_address_is_written(
    client: AsyncClient,
) -> None:
    code, ip = await create_code(client), unique_ip()
    await follow_link(client, code, ip=ip, **BROWSER_TRAITS)
    neighbour = ip.rpartition(":")[0] + ":beef"

    opened = await resolve(
        client, **PHONE_TRAITS, ip=f"[{neighbour}]:443, 10.0.0.1", device_id=unique("device")
    )

    assert opened["code"] == code
