"""Readiness during faults: a standby, a busy pool, a Temporal that is away."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from temporalio.service import ServiceClient

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from tests.api.bodies import assert_problem, deposit
from tests.fixtures.api_client import a_key, caller
from tests.fixtures.databases import DatabaseUrls
from tests.user_agents import WINDOWS

POOL_SIZE = 3
END_SESSIONS = text(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = :name"
)


@pytest.fixture
async def small(shared_urls: DatabaseUrls) -> AsyncIterator[Database]:
    async with Database.open(shared_urls.application, pool_size=POOL_SIZE) as database:
        yield database


def readiness(app: FastAPI) -> AsyncClient:
    return caller(app, "none")


async def test_requests_that_wait_make_no_copy_unready(settings: Settings, small: Database) -> None:
    app = build_app(settings, small)
    async with AsyncExitStack() as busy, readiness(app) as client:
        for _ in range(POOL_SIZE):
            session = await busy.enter_async_context(small.transaction())
            await session.execute(text("select 1"))
        answers = await asyncio.gather(*(client.get("/readyz") for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5


async def test_a_standby_is_not_ready_and_its_doors_answer_503(
    settings: Settings, fresh_urls: DatabaseUrls, fresh_superuser: Database, api_key: str
) -> None:
    async with fresh_superuser.autocommit() as connection:
        await connection.execute(
            text(f"alter database {fresh_urls.name} set default_transaction_read_only = on")
        )
    async with Database.open(fresh_urls.application) as database:
        app = build_app(settings, database)
        async with caller(app, api_key) as client:
            ready = await client.get("/readyz")
            followed = await client.get("/r/SOMECODE", headers={"User-Agent": WINDOWS})

    assert ready.status_code == 503
    assert ready.json()["dependencies"]["postgres"] == "read_only"
    assert followed.status_code == 503


@pytest.mark.parametrize(
    ("refuse", "allow"),
    [
        ("alter database {0} connection limit 0", "alter database {0} connection limit -1"),
        ("revoke connect on database {0} from public", "grant connect on database {0} to public"),
        ("alter database {0} rename to {0}_away", "alter database {0}_away rename to {0}"),
    ],
    ids=["too many connections", "no right to connect", "no such database"],
)
async def test_doors_answer_503_while_connections_are_refused_and_go_on_afterwards(
    settings: Settings, shared_urls: DatabaseUrls, fresh_urls: DatabaseUrls, refuse: str, allow: str
) -> None:
    name = fresh_urls.name
    async with (
        Database.open(shared_urls.superuser) as superuser,
        Database.open(fresh_urls.application, pool_size=2) as own,
        caller(build_app(settings, own), await a_key(own)) as client,
        superuser.autocommit() as server,
    ):
        assert (await client.get("/readyz")).status_code == 200
        await server.execute(END_SESSIONS, {"name": name})
        await server.execute(text(refuse.format(name)))
        asked = [client.get("/readyz"), client.get("/r/SOMECODE"), client.get("/v1/campaigns")]
        away = [await answer for answer in asked]
        away.append(await client.post("/v1/events/deposits", json=deposit()))
        await server.execute(text(allow.format(name)))
        back = [await client.get(path) for path in ("/readyz", "/r/SOMECODE", "/v1/campaigns")]

    assert [answer.status_code for answer in away] == [503] * 4
    assert [answer.status_code for answer in back] == [200, 404, 200]


async def test_sixteen_requests_pass_while_a_column_s_type_is_changed(
    settings: Settings, fresh_urls: DatabaseUrls, fresh_superuser: Database
) -> None:
    async with (
        Database.open(fresh_urls.application, pool_size=16) as own,
        caller(build_app(settings, own), await a_key(own)) as client,
        fresh_superuser.autocommit() as server,
    ):

        async def sixteen() -> set[int]:
            answers = await asyncio.gather(*(client.get("/v1/campaigns") for _ in range(16)))
            return {answer.status_code for answer in answers}

        before = await sixteen()
        await server.execute(text("alter table campaigns alter version type bigint"))
        during = await sixteen()
        after = await sixteen()

    assert before == after == {200}
    assert during <= {200, 503}


async def test_one_client_asks_temporal_for_the_process_s_life(
    settings: Settings, small: Database
) -> None:
    async with readiness(build_app(settings, small)) as client:
        for _ in range(3):
            await client.get("/readyz")
        first = _service_clients()
        for _ in range(5):
            await client.get("/readyz")

    assert _service_clients() == first


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/invitation.png", "/docs", "/openapi.json"]
)
async def test_a_monitor_may_ask_with_head(client: AsyncClient, path: str) -> None:
    assert (await client.head(path)).status_code == (await client.get(path)).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "identity, gzip"])
async def test_a_body_with_an_encoding_is_refused(client: AsyncClient, encoding: str) -> None:
    answer = await client.post(
        "/v1/events/deposits", json=deposit(), headers={"Content-Encoding": encoding}
    )
    assert_problem(answer, 415, "unsupported_media_type")
    assert "Content-Encoding" in answer.json()["detail"]


async def test_a_body_without_an_encoding_may_say_so(client: AsyncClient) -> None:
    answer = await client.post(
        "/v1/events/deposits", json=deposit(), headers={"Content-Encoding": "identity"}
    )
    assert answer.status_code == 202


def _service_clients() -> int:
    return sum(isinstance(found, ServiceClient) for found in gc.get_objects())
