"""Codes typed at a signup: kept where somebody has them, else hashed: they may be names."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from db.engine import Database
from db.tables import FactRow
from tests.api.bodies import create_code, signup, unique


@pytest.mark.parametrize(
    ("typed", "start"),
    [
        ("someone@example.com", "hm1:"),
        ("my friend Some One, 555 0100", "hm1:"),
        ("https://refer.example/r/{code}?email=someone%40example.com", "{code}"),
        (" {code} ", " {code} "),
        ("NOBODYS", "hm1:"),
        ("447911123456", "hm1:"),
    ],
)
async def test_typed_text_is_stored_only_if_it_is_a_code(
    client: AsyncClient, database: Database, typed: str, start: str
) -> None:
    code = await create_code(client)
    body = signup(code=typed.format(code=code))
    answers = [await client.post("/v1/events/signups", json=body) for _ in range(2)]
    assert [answer.json()["status"] for answer in answers] == ["accepted", "duplicate"]
    async with database.reading() as session:
        stored = await session.scalar(
            select(FactRow.body).where(FactRow.event_id == body["event_id"])
        )
    assert stored is not None
    assert stored["code"].startswith(start.format(code=code))
    assert "someone" not in stored["code"].casefold()


async def test_a_signup_whose_code_was_made_later_is_known_when_it_comes_again(
    client: AsyncClient,
) -> None:
    vanity = unique("LATER").upper()
    body = signup(code=vanity)
    first = await client.post("/v1/events/signups", json=body)
    made = await client.post("/v1/codes", json={"player_id": unique("late"), "vanity": vanity})
    again = await client.post("/v1/events/signups", json=body)
    other = await client.post("/v1/events/signups", json=body | {"platform": "ios"})

    assert (first.json()["status"], made.status_code) == ("accepted", 201)
    assert again.json()["status"] == "duplicate"
    assert (other.status_code, [one["field"] for one in other.json()["errors"]]) == (
        409,
        ["platform"],
    )
