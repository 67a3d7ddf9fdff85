"""Steps of tests of attribution: clicks, signups, deposits, claims and the log."""

from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import AsyncClient

from courier.route_player import route_player
from db.engine import Database
from tests.api.bodies import deposit, signup, unique
from tests.builders import TOKENS

HOUR = timedelta(hours=1)
NO_TIME_AGO = timedelta(0)


def ago(duration: timedelta) -> str:
    return (datetime.now(UTC) - duration).isoformat()


async def sign_up(
    client: AsyncClient, database: Database, *, age: timedelta = HOUR, **fields: object
) -> str:
    """Sign a player up, have the signup routed, and return the player's id."""
    body = signup(occurred_at=ago(age), **fields)
    assert (await client.post("/v1/events/signups", json=body)).status_code == 202
    player_id: str = body["player_id"]
    await route(database, player_id)
    return player_id


async def make_deposit(client: AsyncClient, database: Database, player_id: str) -> None:
    body = deposit(player_id=player_id, occurred_at=ago(timedelta(minutes=30)))
    assert (await client.post("/v1/events/deposits", json=body)).status_code == 202
    await route(database, player_id)


async def route(database: Database, player_id: str) -> None:
    async with database.transaction() as session:
        await route_player(session, player_id, tokens=TOKENS, now=datetime.now(UTC))


async def click(client: AsyncClient, code: str, visitor: str | None = None) -> dict[str, Any]:
    body = {"code": code, "visitor_id": visitor or unique("visitor"), "platform": "web"}
    answer = await client.post("/v1/clicks", json=body)
    assert answer.status_code in {200, 201}, answer.text
    clicked: dict[str, Any] = answer.json()
    return clicked


async def claim(client: AsyncClient, player_id: str, code: str, **fields: object) -> Any:  # noqa: ANN401
    body = {"player_id": player_id, "code": code, **fields}
    return await client.post("/v1/attributions/claim", json=body)


async def referral_of(client: AsyncClient, player_id: str) -> dict[str, Any]:
    """Return the referral that the player is bound to."""
    query = {"player_id": player_id, "role": "referee"}
    items = (await client.get("/v1/referrals", params=query)).json()["items"]
    (bound,) = [item for item in items if item["stage"] != "LOST"]
    found: dict[str, Any] = (await client.get(f"/v1/referrals/{bound['referral_id']}")).json()
    return found


async def attribution_log(client: AsyncClient, player_id: str) -> list[dict[str, Any]]:
    """Return the attempts, the newest last."""
    answer = await client.get("/v1/attributions", params={"player_id": player_id})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items[::-1]
