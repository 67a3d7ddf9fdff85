"""Answers of the HTTP door during an outage or after an unexpected fault."""

import socket
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import assert_problem, deposit
from tests.api.link.landing_page import follow_link, parse_page
from tests.fixtures.api_client import caller
from tests.user_agents import LINK_PREVIEW, WINDOWS

SOME_KEY = f"rk_{'x' * 43}"


@pytest.fixture
async def app_without_database(settings: Settings) -> AsyncIterator[FastAPI]:
    """Build the application over a port where no database listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{port}/nothing", pool_size=1)
    yield build_app(settings, database)
    await database.close()


async def test_a_missing_database_is_reported_as_temporary(app_without_database: FastAPI) -> None:
    async with caller(app_without_database, SOME_KEY) as client:
        answer = await client.post("/v1/events/deposits", json=deposit())
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        ready = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert ready.status_code == 503
    assert ready.json()["status"] == "not_ready"
    assert ready.json()["dependencies"]["postgres"] == "unavailable"
    assert alive.status_code == 200


async def test_a_link_during_an_outage_answers_with_a_page(
    app_without_database: FastAPI,
) -> None:
    german = {"Accept-Language": "DE-AT"}
    answers = [
        await follow_link(app_without_database, "/r/SOMECODE", agent, **german)
        for agent in (WINDOWS, LINK_PREVIEW)
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["cache-control"] == "no-store"
        assert "Diese Einladung lässt sich gerade nicht öffnen" in parse_page(answer.text).text


async def test_an_unexpected_fault_does_not_reveal_its_cause(
    settings: Settings, database: Database
) -> None:
    app = build_app(settings, database)

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("a secret")

    async with caller(app, SOME_KEY) as client:
        answer = await client.get("/broken")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


async def test_every_answer_has_the_id_of_its_request(client: AsyncClient) -> None:
    echoed = await client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    made = await client.get("/healthz", headers={"X-Request-Id": "no id at all"})
    assert echoed.headers["x-request-id"] == "abc-1"
    assert len(made.headers["x-request-id"]) == 32


async def test_logs_no_personal_data(
    client: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    body = deposit(ip="203.0.113.77")
    await client.post("/v1/events/deposits", json=body)
    await client.post("/v1/events/deposits", json=body | {"ip": "203.0.113.78"})
    await client.post("/v1/events/deposits", json=body | {"ip": ["203.0.113.79"]})
    logged = capsys.readouterr().out
    assert "event_conflict" in logged
    assert "203.0.113" not in logged
