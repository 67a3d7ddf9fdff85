"""Lists as people keep them: values added once, shown with their hits, and deleted."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select, text

from db.engine import Database
from db.tables import AuditRow
from referrals.access.audit import Actor
from tests.api.bodies import assert_problem, unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

DENY = "/v1/lists/deny"


def entry(**changes: object) -> dict[str, Any]:
    return {"kind": "player", "value": unique("player"), "reason": "a farm", **changes}


async def add(client: AsyncClient, path: str = DENY, **changes: object) -> dict[str, Any]:
    body = entry(**changes)
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = body | answer.json()
    return created


async def find(client: AsyncClient, path: str, added: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = {"kind": added["kind"], "value": added["value"]}
    answer = await client.get(path, params=wanted)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture
async def reviewer(app: FastAPI, database: Database) -> AsyncIterator[AsyncClient]:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(
            session, owner=unique("reviewer"), scopes=["reviews:decide"], actor=actor
        )
    async with caller(app, key) as client:
        yield client


@pytest.mark.parametrize("name", ["allow", "deny", "watch"])
async def test_a_listed_value_is_shown_with_its_reason_owner_and_end(
    client: AsyncClient, name: str
) -> None:
    ends = datetime.now(UTC) + timedelta(days=30)
    added = await add(client, f"/v1/lists/{name}", expires_at=ends.isoformat())
    (shown,) = await find(client, f"/v1/lists/{name}", added)
    assert shown["entry_id"] == added["entry_id"]
    assert (shown["list"], shown["kind"], shown["value"]) == (name, "player", added["value"])
    assert shown["reason"] == "a farm"
    assert shown["added_by"].startswith("tests-")
    assert datetime.fromisoformat(shown["expires_at"]) == ends
    assert (shown["hits"], shown["last_hit_at"]) == (0, None)


async def test_a_value_is_on_one_list_alone(client: AsyncClient) -> None:
    added = await add(client)
    assert await find(client, "/v1/lists/allow", added) == []


@pytest.mark.parametrize(
    ("kind", "value", "spelling"),
    [
        ("email", "{0}@mail.example", " {0}@MAIL.example"),
        ("device_id", "device-{0}", "DEVICE-{0}"),
        ("payment_instrument", "card-{0}", "card-{0} "),
        ("kyc_subject", "subject-{0}", "Subject-{0}"),
    ],
)
async def test_a_personal_value_is_stored_as_its_hash_alone(
    client: AsyncClient, database: Database, kind: str, value: str, spelling: str
) -> None:
    secret = uuid4().hex
    added = await add(client, kind=kind, value=value.format(secret))
    (shown,) = await find(client, DENY, added | {"value": spelling.format(secret)})
    assert shown["value"].startswith("hm1:")
    async with database.reading() as session:
        stored = await session.execute(
            text("select value from list_keys where entry_id = :id"), {"id": shown["entry_id"]}
        )
        audited = await session.scalars(select(AuditRow.details))
        assert stored.scalars().all() == [shown["value"]]
        assert secret not in str(audited.all())


async def test_the_same_entry_again_is_the_same(client: AsyncClient) -> None:
    added = await add(client)
    again = await client.post(DENY, json=entry(value=added["value"]))
    assert (again.status_code, again.json()) == (200, {"entry_id": added["entry_id"]})


@pytest.mark.parametrize("change", [{"reason": "another"}, {"expires_at": "2099-01-01T00:00:00Z"}])
async def test_a_listed_value_is_not_listed_otherwise(
    client: AsyncClient, change: dict[str, str]
) -> None:
    added = await add(client)
    answer = await client.post(DENY, json=entry(value=added["value"], **change))
    assert_problem(answer, 409, "already_listed")


async def test_an_expired_entry_is_in_nobodys_way(client: AsyncClient, database: Database) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    added = await add(client, expires_at=soon.isoformat())
    async with database.reading() as session:
        await session.execute(text("select pg_sleep(0.4)"))
    again = await add(client, value=added["value"])
    assert again["entry_id"] != added["entry_id"]


async def test_a_deleted_entry_is_gone_and_can_be_added_again(
    client: AsyncClient, database: Database
) -> None:
    added = await add(client)
    path = f"{DENY}/{added['entry_id']}"
    assert_problem(
        await client.delete(f"/v1/lists/allow/{added['entry_id']}"), 404, "unknown_list_entry"
    )
    assert (await client.delete(path)).status_code == 204
    assert_problem(await client.delete(path), 404, "unknown_list_entry")
    assert await find(client, DENY, added) == []
    assert (await add(client, value=added["value"]))["entry_id"] != added["entry_id"]
    async with database.reading() as session:
        actions = await session.scalars(
            select(AuditRow.action)
            .where(AuditRow.subject == f"list-entry:{added['entry_id']}")
            .order_by(AuditRow.id)
        )
    assert actions.all() == ["list.add", "list.remove"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "country"}, "kind"),
        ({"value": ""}, "value"),
        ({"value": "a player"}, "value"),
        ({"kind": "network", "value": "0.0.0.0/0"}, "value"),
        ({"kind": "network", "value": "everywhere"}, "value"),
        ({"kind": "email_domain", "value": "nowhere"}, "value"),
        ({"kind": "email", "value": "x" * 321}, "value"),
        ({"kind": "phone", "value": "(201) 555-0147"}, "value"),
        ({"kind": "phone", "value": "020 7946 0958"}, "value"),
        ({"kind": "phone", "value": "12015550147"}, "value"),
        ({"kind": "phone", "value": "+"}, "value"),
        ({"reason": " "}, "reason"),
        ({"expires_at": "2026-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"list": "deny"}, "list"),
    ],
)
async def test_refuses_an_entry_that_can_match_nothing(
    client: AsyncClient, changes: dict[str, str], field: str
) -> None:
    assert_problem(await client.post(DENY, json=entry(**changes)), 422, "validation_failed", field)


@pytest.mark.parametrize(
    "spelling",
    [
        "+1 (201) {0}",
        "00 1 201 {0}",
        "tel:+1-201-{0}",
        "(+1) 201 {0}",
        "\N{FULLWIDTH PLUS SIGN}1201{0}",
    ],
)
async def test_a_listed_phone_number_is_one_however_its_country_is_written(
    client: AsyncClient, spelling: str
) -> None:
    number = f"{uuid4().int % 10**7:07}"
    added = await add(client, kind="phone", value=f"+1 201 {number}")
    (shown,) = await find(client, DENY, added | {"value": spelling.format(number)})
    assert shown["entry_id"] == added["entry_id"]


async def test_a_phone_number_without_its_country_is_not_searched_for(client: AsyncClient) -> None:
    answer = await client.get(DENY, params={"kind": "phone", "value": "(201) 555-0147"})
    assert_problem(answer, 422, "validation_failed", "value")
    assert "Write it with + and the country's number" in answer.text


async def test_a_phone_number_may_be_listed_as_its_hash(client: AsyncClient) -> None:
    hashed = f"hm1:{uuid4().hex * 2}"
    added = await add(client, kind="phone", value=hashed)
    assert len(await find(client, DENY, added)) == 1


async def test_a_search_for_a_value_names_its_kind(client: AsyncClient) -> None:
    answer = await client.get(DENY, params={"value": "someone"})
    assert_problem(answer, 422, "validation_failed", "kind")


async def test_a_list_is_read_in_pages(client: AsyncClient) -> None:
    path = "/v1/lists/watch"
    added = [(await add(client, path))["entry_id"] for _ in range(3)]
    first = (await client.get(path, params={"limit": 2})).json()
    assert [item["entry_id"] for item in first["items"]] == added[:0:-1]
    rest = await client.get(path, params={"limit": 1, "cursor": first["next_cursor"]})
    assert [item["entry_id"] for item in rest.json()["items"]] == added[:1]


async def test_a_reviewer_reads_lists_and_changes_none(
    client: AsyncClient, reviewer: AsyncClient
) -> None:
    added = await add(client)
    assert len(await find(reviewer, DENY, added)) == 1
    assert_problem(await reviewer.post(DENY, json=entry()), 403, "missing_scope")
    path = f"{DENY}/{added['entry_id']}"
    assert_problem(await reviewer.delete(path), 403, "missing_scope")


@pytest.mark.parametrize("name", ["allow", "deny", "watch"])
async def test_nobody_lists_or_unlists_the_player_who_has_their_name(
    app: FastAPI, client: AsyncClient, database: Database, name: str
) -> None:
    player, path = unique("player"), f"/v1/lists/{name}"
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        key = await create_key(session, owner=player.upper(), scopes=["rules:write"], actor=actor)

    async with caller(app, key) as own:
        assert_problem(await own.post(path, json=entry(value=player)), 403, "own_entry")
        added = await add(client, path, value=player)
        assert_problem(await own.delete(f"{path}/{added['entry_id']}"), 403, "own_entry")
        assert (await own.post(path, json=entry())).status_code == 201

    assert len(await find(client, path, added)) == 1
