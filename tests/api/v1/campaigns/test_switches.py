"""Kill switches over HTTP: no code, no invitation, and a typed code that attributes nobody."""

from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from courier.route_player import route_player
from db.engine import Database
from db.tables import AttemptRow, AuditRow
from domain.attribution.policy import Refusal
from tests.api.bodies import assert_problem, create_code, publish_campaign, signup, unique
from tests.builders import TOKENS

URL = "/v1/switches"
OFF = {"state": "off", "reason": "a wrong amount"}
ON = {"state": "on", "reason": "mended"}


async def test_a_campaign_switched_off_gives_no_code_and_no_invitation(
    client: AsyncClient,
) -> None:
    slug = await publish_campaign(client)
    code = await create_code(client, slug)
    turned = await client.put(f"{URL}/campaign:{slug}", json=OFF)
    assert turned.status_code == 200, turned.text
    assert (turned.json()["scope"], turned.json()["state"]) == (f"campaign:{slug}", "off")

    asked = {"player_id": unique("referrer"), "campaign": slug}
    assert_problem(await client.post("/v1/codes", json=asked), 409, "switched_off")
    assert_problem(await client.post("/v1/clicks", json=_click(code)), 409, "switched_off")
    page = await client.get(f"/r/{code}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    assert page.status_code == 410
    assert (await client.get(f"/v1/codes/{code}")).json()["active"] is False

    await client.put(f"{URL}/campaign:{slug}", json=ON)
    assert (await client.post("/v1/clicks", json=_click(code))).status_code == 201
    assert (await client.post("/v1/codes", json=asked)).status_code == 201
    assert (await client.get(f"/v1/codes/{code}")).json()["active"] is True


@pytest.mark.parametrize("kind", ["campaign", "jurisdiction", "country", "spelling"])
async def test_a_code_typed_while_a_switch_is_off_attributes_nobody(
    client: AsyncClient, database: Database, kind: str
) -> None:
    slug = await publish_campaign(client)
    code = await create_code(client, slug)
    scopes = {"campaign": f"campaign:{slug}", "jurisdiction": "jurisdiction:CA-AB"}
    scope = scopes.get(kind, "jurisdiction:CA")
    told = " ca_ab " if kind == "spelling" else "CA-AB"
    await client.put(f"{URL}/{scope}", json=OFF)
    try:
        assert await _outcome(client, database, code, told) == Refusal.SWITCHED_OFF
        elsewhere = await _outcome(client, database, code, "US-NJ")
        assert elsewhere == ("switched_off" if kind == "campaign" else "bound")
    finally:
        await client.put(f"{URL}/{scope}", json=ON)
    assert await _outcome(client, database, code, "CA-AB") == "bound"


async def test_a_switch_is_turned_once_and_every_turn_is_in_the_audit(
    client: AsyncClient, database: Database
) -> None:
    slug = await publish_campaign(client)
    scope = f"campaign:{slug}"
    first = await client.put(f"{URL}/{scope}", json=OFF)
    again = await client.put(f"{URL}/{scope}", json=OFF | {"reason": "another"})
    assert again.json() == first.json()
    await client.put(f"{URL}/{scope}", json=ON)
    answer = await client.get(URL)
    assert answer.status_code == 200, answer.text
    listed = {item["scope"]: item for item in answer.json()["items"]}
    assert (listed[scope]["state"], listed[scope]["reason"]) == ("on", "mended")
    async with database.reading() as session:
        query = select(AuditRow).where(AuditRow.subject == f"switch:{scope}").order_by(AuditRow.id)
        turns = [(row.action, row.reason) for row in await session.scalars(query)]
    assert turns == [("switch.off", "a wrong amount"), ("switch.on", "mended")]


@pytest.mark.parametrize(
    "scope", ["everything", "campaign:", "jurisdiction:us", "campaign:UP", "jurisdiction:USA"]
)
async def test_refuses_what_is_no_scope(client: AsyncClient, scope: str) -> None:
    assert_problem(await client.put(f"{URL}/{scope}", json=OFF), 422, "validation_failed")


@pytest.mark.parametrize(("alias", "code"), [("UK", "GB"), ("UK-ENG", "GB-ENG"), ("EL", "GR")])
async def test_an_alias_is_turned_off_by_its_code_and_may_be_turned_on(
    client: AsyncClient, alias: str, code: str
) -> None:
    refused = await client.put(f"{URL}/jurisdiction:{alias}", json=OFF)
    assert_problem(refused, 422, "validation_failed", "scope")
    assert f"jurisdiction:{code}" in refused.json()["errors"][0]["message"]
    turned = await client.put(f"{URL}/jurisdiction:{alias}", json=ON)
    assert turned.status_code == 200, turned.text


async def test_refuses_an_unknown_campaign_another_state_and_a_missing_reason(
    client: AsyncClient,
) -> None:
    unknown = await client.put(f"{URL}/campaign:{unique('no')}", json=OFF)
    assert_problem(unknown, 404, "unknown_campaign")
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"state": "maybe", "reason": "r"}, "state"),
        ({"state": "off"}, "reason"),
        ({"state": "off", "reason": " "}, "reason"),
    ]
    for body, field in bodies:
        answer = await client.put(f"{URL}/campaign:default", json=body)
        assert_problem(answer, 422, "validation_failed", field)


async def _outcome(client: AsyncClient, database: Database, code: str, jurisdiction: str) -> str:
    """Report a signup with a typed code, and return the logged outcome."""
    now = datetime.now(UTC)
    body = signup(code=code, jurisdiction=jurisdiction, occurred_at=now.isoformat())
    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    async with database.transaction() as session:
        await route_player(session, body["player_id"], tokens=TOKENS, now=now)
    async with database.reading() as session:
        query = select(AttemptRow.outcome).where(AttemptRow.player_id == body["player_id"])
        return (await session.scalars(query)).one()


def _click(code: str) -> dict[str, Any]:
    return {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
