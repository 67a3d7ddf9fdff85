"""The courier as a whole: woken at once, robust against faults, backing off in outages."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import select
from temporalio.testing import WorkflowEnvironment

from courier import main as courier
from courier.router import Router
from db.clock import database_now
from db.engine import Database
from db.tables import FactRow, InboxRow, ReferralRow
from domain.intake.facts import FactKind
from runtime.settings import Settings
from stack import ports
from stack.temporal import temporal_executable
from tests.builders import NOW, TERMS, TOKENS, a_player_id, signup, unique
from tests.courier.steps import START, a_shared_code, received_signals, record_facts, referrals_of
from tests.fixtures.databases import DatabaseUrls
from workflows.payloads import DATA_CONVERTER
from workflows.referral import visibility

PATIENCE_S = 60.0


@asynccontextmanager
async def running_courier(settings: Settings) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(courier.run(settings, stopping=stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(task, PATIENCE_S)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        # Another process changes it, without an event in this one.
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def settings_for(settings: Settings, urls: DatabaseUrls, address: str) -> Settings:
    return settings.model_copy(
        update={
            "database_url": urls.application,
            "temporal_address": address,
            "task_queue": unique("queue"),
        }
    )


async def record_signup(database: Database) -> str:
    arrival = signup(code=await a_shared_code(database))
    await record_facts(database, arrival, player_id=arrival.player_id)
    return arrival.player_id


async def wait_until_bound(database: Database, player_id: str) -> ReferralRow:
    async def is_bound() -> bool:
        return bool(await referrals_of(database, player_id))

    await eventually(is_bound)
    return (await referrals_of(database, player_id))[0]


async def wait_until_signalled(env: WorkflowEnvironment, row: ReferralRow) -> None:
    async def has_heard() -> bool:
        return await received_signals(env.client, row) == [START, "sign_up"]

    await eventually(has_heard)


async def test_a_fact_reaches_its_workflow(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    settings: Settings,
    temporal_env: WorkflowEnvironment,
) -> None:
    address = temporal_env.client.service_client.config.target_host
    async with running_courier(settings_for(settings, fresh_urls, address)):
        player_id = await record_signup(fresh_database)

        await wait_until_signalled(temporal_env, await wait_until_bound(fresh_database, player_id))


async def test_the_smallest_pool_is_large_enough(
    fresh_database: Database, fresh_urls: DatabaseUrls, settings: Settings
) -> None:
    nowhere = settings_for(settings, fresh_urls, f"127.0.0.1:{ports.find_free()}")
    async with running_courier(nowhere.model_copy(update={"database_pool_size": 1})):
        for player_id in [await record_signup(fresh_database) for _ in range(5)]:
            await wait_until_bound(fresh_database, player_id)


async def test_binds_while_temporal_is_away_and_signals_when_it_is_back(
    fresh_database: Database, fresh_urls: DatabaseUrls, settings: Settings
) -> None:
    port = ports.find_free()
    async with running_courier(settings_for(settings, fresh_urls, f"127.0.0.1:{port}")):
        rows = [
            await wait_until_bound(fresh_database, await record_signup(fresh_database))
            for _ in range(5)
        ]

        async with await _temporal_at(port) as back:
            for row in rows:
                await wait_until_signalled(back, row)


async def test_a_player_whose_facts_cannot_be_read_stops_nobody_else(
    fresh_database: Database,
) -> None:
    broken = a_player_id()
    await _record_unreadable_fact(fresh_database, broken)
    player_id = await record_signup(fresh_database)
    router = Router(fresh_database, tokens=TOKENS, clock_s=lambda: 0.0)

    await router.route()
    await router.finish()
    await router.route()

    assert len(await referrals_of(fresh_database, player_id)) == 1
    async with fresh_database.reading() as session:
        assert (await session.scalars(select(InboxRow.player_id))).all() == [broken]


async def test_deadlines_are_set_by_the_database_s_clock(fresh_database: Database) -> None:
    arrival = signup(at=NOW - timedelta(days=300), code=await a_shared_code(fresh_database))
    await record_facts(fresh_database, arrival, player_id=arrival.player_id)
    before = await _time_of(fresh_database)

    await Router(fresh_database, tokens=TOKENS).route()

    (row,) = await referrals_of(fresh_database, arrival.player_id)
    assert before <= row.until - TERMS.lateness_grace <= await _time_of(fresh_database)


async def _time_of(database: Database) -> datetime:
    async with database.reading() as session:
        return await database_now(session)


async def _temporal_at(port: int) -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        ip="127.0.0.1",
        port=port,
        dev_server_existing_path=str(temporal_executable()),
        data_converter=DATA_CONVERTER,
        search_attributes=visibility.SEARCH_ATTRIBUTES,
    )


async def _record_unreadable_fact(database: Database, player_id: str) -> None:
    event_id = unique("signup")
    async with database.transaction() as session:
        session.add(
            FactRow(
                kind=FactKind.SIGNUP,
                event_id=event_id,
                player_id=player_id,
                occurred_at=NOW,
                body={"no": "signup"},
                fingerprint="0" * 64,
                door="http",
            )
        )
        session.add(InboxRow(player_id=player_id, kind=FactKind.SIGNUP, event_id=event_id))
