"""The api, the worker and the courier in this process, behind proxies that break connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import make_url
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from api.app import build_app
from courier import main as courier
from db.engine import Database
from referrals.access.audit import Actor
from runtime.settings import Settings
from sandbox.sportsbook.client import SportsbookClient
from stack import ports
from stack.temporal import temporal_executable
from tests.builders import unique
from tests.fixtures.databases import DatabaseUrls
from tests.fixtures.keys import create_key
from tests.proxies.breaking import BreakingProxy, breaking_proxy
from tests.workflows.harness.billing import Meter
from worker import build_activities, build_worker
from workflows.connection import connect_to
from workflows.payloads import DATA_CONVERTER
from workflows.referral import visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultySystem:
    """A running system and the proxies between it and its servers."""

    sportsbook: SportsbookClient
    postgres: BreakingProxy
    temporal: BreakingProxy
    database: Database
    """The same database without a proxy, for the test's own questions."""
    workflows: Client
    """The same Temporal without a proxy."""
    meter: Meter


@pytest.fixture
async def system(
    settings: Settings, fresh_urls: DatabaseUrls, fresh_database: Database
) -> AsyncIterator[FaultySystem]:
    metrics_port = ports.find_free()
    async with AsyncExitStack() as stack:
        temporal_server = await stack.enter_async_context(
            await WorkflowEnvironment.start_local(
                dev_server_existing_path=str(temporal_executable()),
                dev_server_extra_args=[f"--metrics-port={metrics_port}"],
                data_converter=DATA_CONVERTER,
                search_attributes=visibility.SEARCH_ATTRIBUTES,
            )
        )
        target = temporal_server.client.service_client.config.target_host
        direct = make_url(fresh_urls.application)
        postgres = await stack.enter_async_context(breaking_proxy(upstream_port=direct.port or 0))
        temporal = await stack.enter_async_context(
            breaking_proxy(upstream_port=int(target.rpartition(":")[2]))
        )
        ours = settings.model_copy(
            update={
                "database_url": direct.set(port=postgres.port).render_as_string(
                    hide_password=False
                ),
                "temporal_address": f"127.0.0.1:{temporal.port}",
                "task_queue": unique("queue"),
                "database_pool_size": 10,
            }
        )
        await _run_courier(stack, ours)
        await _run_worker(stack, ours)
        sportsbook = await _serve_api(stack, ours, fresh_database)
        yield FaultySystem(
            sportsbook=sportsbook,
            postgres=postgres,
            temporal=temporal,
            database=fresh_database,
            workflows=temporal_server.client,
            meter=Meter(metrics_port),
        )


async def _run_courier(stack: AsyncExitStack, settings: Settings) -> None:
    stopping = asyncio.Event()
    running = asyncio.create_task(courier.run(settings, stopping=stopping))

    async def stop() -> None:
        stopping.set()
        await running

    stack.push_async_callback(stop)


async def _run_worker(stack: AsyncExitStack, settings: Settings) -> None:
    database = await stack.enter_async_context(
        Database.open(settings.database_url, pool_size=settings.database_pool_size)
    )
    client = await connect_to(settings.temporal, lazy=False)
    worker = build_worker(
        client, build_activities(database, settings), task_queue=settings.task_queue
    )
    await stack.enter_async_context(worker)


async def _serve_api(
    stack: AsyncExitStack, settings: Settings, direct: Database
) -> SportsbookClient:
    key, approver_key = await _create_key(direct, "faults"), await _create_key(direct, "approver")
    database = await stack.enter_async_context(
        Database.open(settings.database_url, pool_size=settings.database_pool_size)
    )
    client = await stack.enter_async_context(
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=build_app(settings, database)),
            base_url="http://referrals.test",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        )
    )
    return SportsbookClient(client, approver_key=approver_key)


async def _create_key(database: Database, owner: str) -> str:
    actor = Actor(name="tests", request_id=None, reason="a test")
    async with database.transaction() as session:
        return await create_key(session, owner=owner, scopes=["admin"], actor=actor)
