"""The HTTP door against its OpenAPI document: every answer to generated requests conforms."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, strategies
from hypothesis import settings as bounded
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, HookContext
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import build_app
from api.http.paging import encode_cursor
from courier import verifier
from db.engine import Database
from runtime.settings import Settings
from stack.postgres import PostgresCluster
from tests.fixtures.api_client import a_key
from tests.fixtures.databases import database_copy, open_database

CASES = int(os.environ.get("OPENAPI_CASES", "5"))
"""Requests of each operation, and sequences of requests."""
TIMES = strategies.one_of(
    strategies.datetimes().map(lambda moment: f"{moment.isoformat()}+00:00"),
    strategies.sampled_from(
        ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T00:00:00", "now", ""]
    ),
)
KEYS = strategies.one_of(
    strategies.uuids().map(str),
    strategies.sampled_from(["signup|e-1", "deposit|", "x", "a\0b", "|", "9" * 30]),
)
CURSORS = strategies.one_of(
    strategies.builds(lambda time, key: encode_cursor(f"{time}|{key}"), TIMES, KEYS),
    strategies.one_of(KEYS, strategies.integers(0).map(str)).map(encode_cursor),
    strategies.text(max_size=40),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A database that generated requests may do anything to, and a key with every right."""

    settings: Settings
    key: str


@pytest.fixture(scope="module")
async def fuzzed(
    postgres: PostgresCluster, template_database: str, settings: Settings
) -> AsyncIterator[Fuzzed]:
    async with (
        database_copy(postgres, template_database) as urls,
        open_database(urls.application) as database,
    ):
        own = settings.model_copy(update={"database_url": urls.application})
        yield Fuzzed(own, await a_key(database))


@pytest.fixture(scope="module")
def served_url(fuzzed: Fuzzed) -> Iterator[str]:
    """Serve the application over HTTP in a thread, because schemathesis' client is synchronous.

    A verifier runs beside it, as in every deployment.
    """
    settings = fuzzed.settings
    listener = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        database = Database(settings.database_url, pool_size=2)
        config = uvicorn.Config(build_app(settings, database), log_config=None, lifespan="off")
        stopping = asyncio.Event()
        verifying = asyncio.create_task(
            verifier.run(settings.database_url, interval_s=3600, stopping=stopping)
        )
        servers.append(uvicorn.Server(config))
        await servers[0].serve(sockets=[listener])
        stopping.set()
        await verifying
        await database.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join()
    listener.close()


def offline_schema() -> BaseSchema:
    """Load the document without a server, since pytest collects its operations before one runs."""
    nowhere = "postgresql+asyncpg://127.0.0.1/nowhere"
    settings = Settings.model_validate(
        {
            "database_url": nowhere,
            "temporal_address": "127.0.0.1:7233",
            "hash_key": "a key for tests, not a secret",
            "token_key": "another key for tests",
            "public_url": "https://refer.example",
        }
    )
    app = build_app(settings, Database(nowhere, pool_size=1))
    return schemathesis.openapi.from_dict(app.openapi())


def checks_of(case: Case[Any]) -> list[Any]:
    """Return the checks of an operation; readiness answers 503 for what it waits for."""
    return CHECKS[1:] if case.path == "/readyz" else CHECKS


schema = offline_schema()


@schema.hook
def flatmap_query(_: HookContext, query: dict[str, Any] | None) -> SearchStrategy[Any]:
    """Draw cursors that are nearly right, which random texts never are."""
    if not query or "cursor" not in query:
        return strategies.just(query)
    return CURSORS.map(lambda cursor: {**query, "cursor": cursor})


def test_the_public_link_is_documented() -> None:
    answers = schema.raw_schema["paths"]["/r/{code}"]["get"]["responses"]
    assert {"302", "404", "410"} <= answers.keys()
    assert "Location" in answers["302"]["headers"]
    assert all("text/html" in answers[status]["content"] for status in ("404", "410"))


@schema.parametrize()
@bounded(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_answers_as_documented(case: Case[Any], served_url: str, fuzzed: Fuzzed) -> None:
    headers = {"Authorization": f"Bearer {fuzzed.key}"}
    checks = checks_of(case)
    case.call_and_validate(base_url=served_url, headers=headers, checks=checks, timeout=PATIENCE_S)


def test_answers_as_documented_along_the_links(served_url: str, fuzzed: Fuzzed) -> None:
    class Steps(schema.as_state_machine()):  # type: ignore[misc] # a class made at run time
        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {fuzzed.key}"}
            return {"base_url": served_url, "headers": headers, "timeout": PATIENCE_S}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:  # noqa: ANN401
            case.validate_response(response, checks=checks_of(case))

    Steps.run(
        settings=bounded(
            max_examples=CASES,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
    )
