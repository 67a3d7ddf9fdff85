"""A stub server, the real service, and a sportsbook's own database."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from db.engine import Database
from referrals.access.audit import Actor
from referrals_client import Client, Limits
from tests.client.client_harness import SOON_S
from tests.client.processes import Api, real_api
from tests.client.signup_service import ACCOUNTS, OUTBOX
from tests.client.stub_server import StubServer, running_stub_server
from tests.fixtures.databases import DatabaseUrls
from tests.fixtures.keys import create_key


@pytest.fixture
async def listener() -> AsyncIterator[StubServer]:
    async with running_stub_server() as listener:
        yield listener


@pytest.fixture
async def events_key(fresh_database: Database) -> str:
    """Create a key in the test's own database, with the scope of a signup service."""
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with fresh_database.transaction() as session:
        return await create_key(session, owner="signup", scopes=["events:write"], actor=actor)


@pytest.fixture
async def real_client(app: FastAPI, api_key: str) -> AsyncIterator[Client]:
    """Open a client of the real application and its database, in this process."""
    async with AsyncClient(transport=ASGITransport(app=app), trust_env=False) as http:
        yield Client("http://referrals.test", api_key, http=http, limits=Limits(call_s=SOON_S))


@pytest.fixture
async def real_service(fresh_urls: DatabaseUrls) -> AsyncIterator[Api]:
    """Run the service as a process of its own, on the test's own database."""
    async with real_api(fresh_urls) as api:
        yield api


@pytest.fixture
def outbox_dsn(empty_urls: DatabaseUrls) -> str:
    return asyncpg_dsn(empty_urls.owner)


@pytest.fixture
async def accounts(outbox_dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Open the sportsbook's database, with its accounts and its outbox."""
    async with asyncpg.create_pool(outbox_dsn) as pool:
        await pool.execute(ACCOUNTS)
        await pool.execute(OUTBOX)
        yield pool


@pytest.fixture
async def facts(fresh_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Pool]:
    """Open a pool on the service's database, to read its facts."""
    async with asyncpg.create_pool(asyncpg_dsn(fresh_urls.application)) as pool:
        yield pool


def asyncpg_dsn(url: str) -> str:
    return url.replace("+asyncpg", "")
