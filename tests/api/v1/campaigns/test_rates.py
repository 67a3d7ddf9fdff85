"""Exchange rates over HTTP: recorded once, never changed, refused with the path of a fault."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from db.engine import Database
from db.tables import AuditRow, RateTableRow
from tests.api.bodies import assert_problem, unique

URL = "/v1/rates"
AS_OF = "2001-02-03T12:00:00Z"


def rates(**changed: object) -> dict[str, Any]:
    return {
        "as_of": AS_OF,
        "source": unique("bank"),
        "base": "USD",
        "rates": {"BTN": "83.1", "KWD": "0.3"},
    } | changed


async def test_rates_are_recorded_once_however_they_are_spelled(client: AsyncClient) -> None:
    body = rates()
    first = await client.post(URL, json=body)
    assert first.status_code == 201, first.text
    assert first.json()["rates"] == {"BTN": "83.1", "KWD": "0.3"}

    respelled = body | {
        "as_of": "2001-02-03T14:00:00+02:00",
        "rates": {"KWD": "0.300", "BTN": "83.10"},
    }
    again = await client.post(URL, json=respelled)
    assert (again.status_code, again.json()) == (200, first.json())

    other = await client.post(URL, json=body | {"rates": {"BTN": "83.1", "KWD": "0.31"}})
    assert_problem(other, 409, "rates_conflict")
    assert_problem(
        await client.post(URL, json=body | {"rates": {"BTN": "83.1"}}), 409, "rates_conflict"
    )


async def test_equal_rates_at_once_are_recorded_once(
    client: AsyncClient, database: Database
) -> None:
    body = rates()
    answers = await asyncio.gather(*(client.post(URL, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    async with database.reading() as session:
        query = select(AuditRow).where(AuditRow.action == "rates.write")
        query = query.where(AuditRow.details["source"].astext == body["source"])
        assert len((await session.scalars(query)).all()) == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"rates": {"BTN": "1e5"}}, "rates.BTN"),
        ({"rates": {"BTN": 83.1}}, "rates.BTN"),
        ({"rates": {"BTN": "0"}}, "rates.BTN"),
        ({"rates": {"BTN": "0.000"}}, "rates.BTN"),
        ({"rates": {"BTN": "-1"}}, "rates.BTN"),
        ({"rates": {"BTN": "NaN"}}, "rates.BTN"),
        ({"rates": {"BTN": "1.0000000000001"}}, "rates.BTN"),
        ({"rates": {"BTN": "1000000000"}}, "rates.BTN"),
        ({"rates": {"BTN": "9" * 5000}}, "rates.BTN"),
        ({"rates": {"BTN": "\N{ARABIC-INDIC DIGIT ONE}"}}, "rates.BTN"),
        ({"rates": {"BTN": "1\x00"}}, "rates.BTN"),
        ({"rates": {"BTN": " 1"}}, "rates.BTN"),
        ({"rates": {"BTN": "1\n"}}, "rates.BTN"),
        ({"rates": {"BTN": None}}, "rates.BTN"),
        ({"rates": {"BTN": ["1"]}}, "rates.BTN"),
        ({"rates": {"btn": "1"}}, "rates.btn"),
        ({"rates": {"XAU": "1"}}, "rates.XAU"),
        ({"rates": {"USD": "1"}}, "rates.USD"),
        ({"rates": {}}, "rates"),
        ({"rates": [["BTN", "1"]]}, "rates"),
        ({"base": "usd"}, "base"),
        ({"base": "XXX"}, "base"),
        ({"source": ""}, "source"),
        ({"source": "a\x00b"}, "source"),
        ({"source": "s" * 65}, "source"),
        ({"as_of": "1999-12-31T23:59:59Z"}, "as_of"),
        ({"as_of": "2001-02-03"}, "as_of"),
        ({"more": 1}, "more"),
    ],
)
async def test_a_fault_is_refused_with_its_path(
    client: AsyncClient, changed: dict[str, Any], field: str
) -> None:
    answer = await client.post(URL, json=rates(**changed))
    assert_problem(answer, 422, "validation_failed")
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_rates_of_the_future_are_refused(client: AsyncClient) -> None:
    now = datetime.now(UTC)
    soon = rates(as_of=(now + timedelta(minutes=30)).isoformat())
    assert_problem(await client.post(URL, json=soon), 503, "too_early")
    later = rates(as_of=(now + timedelta(days=2)).isoformat())
    assert_problem(await client.post(URL, json=later), 422, "validation_failed")


async def test_a_currency_that_is_named_twice_is_refused(client: AsyncClient) -> None:
    written = (
        f'{{"as_of": "{AS_OF}", "source": "twice", "base": "USD",'
        ' "rates": {"BTN": "1", "BTN": "2"}}'
    )
    answer = await client.post(URL, content=written, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "validation_failed")


async def test_rates_are_listed_by_their_moment_and_currency(client: AsyncClient) -> None:
    source = unique("bank")
    for day in (3, 1, 2):
        as_of = f"2002-02-0{day}T00:00:00Z"
        body = rates(source=source, as_of=as_of, rates={"STN": f"2{day}"})
        assert (await client.post(URL, json=body)).status_code == 201
    first = (await client.get(URL, params={"currency": "STN", "limit": 2})).json()
    assert [item["rates"]["STN"] for item in first["items"]] == ["23", "22"]
    rest = await client.get(URL, params={"currency": "STN", "cursor": first["next_cursor"]})
    assert [item["rates"]["STN"] for item in rest.json()["items"]] == ["21"]
    assert_problem(await client.get(URL, params={"currency": "nope"}), 422, "validation_failed")


async def test_the_database_keeps_rates_as_they_were_written(
    client: AsyncClient, database: Database
) -> None:
    body = rates()
    await client.post(URL, json=body)
    for statement in (
        "update rate_tables set rates = '{}' where source = :source",
        "delete from rate_tables where source = :source",
    ):
        with pytest.raises(DBAPIError):
            async with database.transaction() as session:
                await session.execute(text(statement), {"source": body["source"]})
    async with database.reading() as session:
        found = await session.scalar(
            select(RateTableRow).where(RateTableRow.source == body["source"])
        )
        assert found is not None
        assert found.currencies == ["BTN", "KWD", "USD"]
        noted = text("""
            select (select count(*) from unlinked_rows
                     where relation = 'rate_tables' and row_key = :key)
                 + (select count(*) from chain_links
                     where relation = 'rate_tables' and row_key = :key)
        """)
        assert await session.scalar(noted, {"key": str(found.id)}) >= 1
