"""Webhooks as their owners manage them."""

import base64
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import select, text

from api.app import build_app
from db.engine import Database
from db.tables import AuditRow
from domain.webhooks.addresses import Addresses
from referrals.access.audit import Actor
from runtime.settings import Settings
from tests.api.bodies import assert_problem
from tests.events import EVENT_BY_TYPE
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key

URL = "https://book.example/hook?token=hidden-in-the-url"


async def create(client: AsyncClient, **changes: object) -> dict[str, Any]:
    body = {"url": URL, "types": ["RewardGranted"], **changes}
    answer = await client.post("/v1/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_creates_a_webhook_and_shows_its_secret_once(client: AsyncClient) -> None:
    answer = await client.post("/v1/webhooks", json={"url": URL, "types": ["RewardGranted"]})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    created = answer.json()
    assert set(created) == {"webhook_id", "secret"}
    prefix, secret = created["secret"].split("_")
    assert prefix == "whsec"
    assert len(base64.b64decode(secret)) == 32

    shown = (await client.get(f"/v1/webhooks/{created['webhook_id']}")).json()
    assert shown["url"] == URL
    assert shown["types"] == ["RewardGranted"]
    assert shown["status"] == "enabled"
    assert "secret" not in str(shown)
    listed = (await client.get("/v1/webhooks")).json()["items"]
    assert shown in listed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"types": []}, "types"),
        ({"types": ["RewardStolen"]}, "types.0"),
        ({"types": ["rewardgranted"]}, "types.0"),
        ({"types": "RewardGranted"}, "types"),
        ({"types": ["RewardGranted"] * 65}, "types"),
        ({"url": "ftp://book.example"}, "url"),
        ({"url": "https://user:secret@book.example/"}, "url"),
        ({"url": "https://book.example/#here"}, "url"),
        ({"url": "https://book.example/" + "a" * 2048}, "url"),
        ({"url": "book.example"}, "url"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
async def test_refuses_what_cannot_be_delivered(
    client: AsyncClient, changes: dict[str, Any], field: str
) -> None:
    body = {"url": URL, "types": ["RewardGranted"], **changes}
    answer = await client.post("/v1/webhooks", json=body)
    assert_problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("types", [["*"], ["*", "Notification"], ["Notification", "Notification"]])
async def test_takes_every_event_and_notifications(client: AsyncClient, types: list[str]) -> None:
    created = await create(client, types=types)
    shown = (await client.get(f"/v1/webhooks/{created['webhook_id']}")).json()
    assert shown["types"] == sorted(set(types))


async def test_every_published_event_can_be_asked_for(client: AsyncClient) -> None:
    created = await create(client, types=[*EVENT_BY_TYPE, "Notification"])
    shown = (await client.get(f"/v1/webhooks/{created['webhook_id']}")).json()
    assert set(shown["types"]) == {*EVENT_BY_TYPE, "Notification"}


@pytest.mark.parametrize("url", ["http://book.example/", "https://127.0.0.1/", "https://[::1]/"])
async def test_where_addresses_are_public_others_are_refused(
    client: AsyncClient, settings: Settings, database: Database, api_key: str, url: str
) -> None:
    assert settings.webhook_addresses is Addresses.PUBLIC
    assert_problem(
        await client.post("/v1/webhooks", json={"url": url, "types": ["*"]}),
        422,
        "validation_failed",
    )
    anywhere = settings.model_copy(update={"webhook_addresses": Addresses.ANY})
    async with caller(build_app(anywhere, database), api_key) as other:
        assert (await create(other, url=url, types=["*"]))["webhook_id"]


async def test_a_rotation_gives_another_secret(client: AsyncClient) -> None:
    created = await create(client)
    answer = await client.post(f"/v1/webhooks/{created['webhook_id']}/rotate")
    assert answer.status_code == 200
    assert set(answer.json()) == {"webhook_id", "secret"}
    assert answer.json()["secret"] != created["secret"]


async def test_a_deleted_webhook_is_unknown(client: AsyncClient) -> None:
    path = f"/v1/webhooks/{(await create(client))['webhook_id']}"
    assert (await client.delete(path)).status_code == 204
    for method, route in ROUTES:
        answer = await client.request(method, path + route)
        assert_problem(answer, 404, "unknown_webhook")
    listed = (await client.get("/v1/webhooks", params={"limit": 200})).json()["items"]
    assert path.rsplit("/", maxsplit=1)[-1] not in {item["webhook_id"] for item in listed}


ROUTES = (
    ("GET", ""),
    ("DELETE", ""),
    ("POST", "/rotate"),
    ("POST", "/enable"),
    ("GET", "/deliveries"),
    ("POST", f"/deliveries/{uuid4()}/retry"),
)


async def test_lists_deliveries_page_by_page_and_sends_one_again(
    client: AsyncClient, database: Database
) -> None:
    webhook_id = (await create(client))["webhook_id"]
    written = [await _write_delivery(database, webhook_id) for _ in range(3)]
    path = f"/v1/webhooks/{webhook_id}/deliveries"

    first = (await client.get(path, params={"limit": 2})).json()
    second = (await client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    shown = first["items"] + second["items"]
    assert [item["delivery_id"] for item in shown] == [str(id_) for id_ in reversed(written)]
    assert second["next_cursor"] is None
    assert {"delivery_id", "type", "status", "attempts"} <= shown[0].keys()
    assert shown[0]["status"] == "delivered"

    answer = await client.post(f"{path}/{written[0]}/retry")
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    pending = (await client.get(path, params={"status": "pending"})).json()["items"]
    assert [item["delivery_id"] for item in pending] == [str(written[0])]
    assert_problem(await client.post(f"{path}/{uuid4()}/retry"), 404, "unknown_delivery")


async def test_a_disabled_webhook_sends_nothing_again_before_it_is_enabled(
    client: AsyncClient, database: Database
) -> None:
    webhook_id = (await create(client))["webhook_id"]
    delivery_id = await _write_delivery(database, webhook_id)
    async with database.transaction() as session:
        disable = "update webhooks set disabled_at = now(), disabled_reason = 'gone' where id = :id"
        await session.execute(text(disable), {"id": webhook_id})
    path = f"/v1/webhooks/{webhook_id}"
    assert (await client.get(path)).json()["disabled_reason"] == "gone"
    retry = f"{path}/deliveries/{delivery_id}/retry"
    assert_problem(await client.post(retry), 409, "webhook_disabled")
    for _ in range(2):
        enabled = (await client.post(f"{path}/enable")).json()
        assert (enabled["status"], enabled["disabled_reason"]) == ("enabled", None)
    assert (await client.post(retry)).status_code == 202


async def test_every_act_is_in_the_audit_without_secret_and_url(
    client: AsyncClient, database: Database
) -> None:
    created = await create(client)
    path = f"/v1/webhooks/{created['webhook_id']}"
    rotated = (await client.post(f"{path}/rotate")).json()
    await client.delete(path)
    query = select(AuditRow).where(AuditRow.subject == f"webhook:{created['webhook_id']}")
    async with database.reading() as session:
        rows = list(await session.scalars(query.order_by(AuditRow.id)))
    assert [row.action for row in rows] == ["webhook.create", "webhook.rotate", "webhook.delete"]
    recorded = str([row.details for row in rows])
    assert "book.example" in recorded
    for hidden in ("hidden-in-the-url", created["secret"], rotated["secret"]):
        assert hidden not in recorded


async def test_no_secret_is_stored(client: AsyncClient, database: Database) -> None:
    secret = (await create(client))["secret"].removeprefix("whsec_")
    async with database.reading() as session:
        rows = await session.scalars(
            text("select s::text from webhook_secrets s union select w::text from webhooks w")
        )
        stored = "\n".join(rows)
    assert secret not in stored
    assert base64.b64decode(secret).hex() not in stored


async def test_there_are_at_most_a_hundred(settings: Settings, fresh_database: Database) -> None:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with fresh_database.transaction() as session:
        key = await create_key(session, owner="many", scopes=["webhooks:write"], actor=actor)
    async with caller(build_app(settings, fresh_database), key) as client:
        for _ in range(100):
            await create(client)
        answer = await client.post("/v1/webhooks", json={"url": URL, "types": ["*"]})
    assert_problem(answer, 409, "too_many_webhooks")


async def _write_delivery(database: Database, webhook_id: str) -> Any:  # noqa: ANN401 - a UUID
    id_ = uuid4()
    statement = text("""
        insert into webhook_deliveries (
            id, webhook_id, event_id, type, key, status, next_attempt_at, finished_at
        ) values (:id, :webhook_id, :id, 'RewardGranted', 'key', 'delivered', now(), now())
    """)
    async with database.transaction() as session:
        await session.execute(statement, {"id": id_, "webhook_id": webhook_id})
    return id_
