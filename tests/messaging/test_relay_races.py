"""The outbox under concurrent writers: every event is published, in order per referral.

`OUTBOX_EVENTS=4000 pytest tests/messaging/test_relay_races.py` plays the full size.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.topics import EVENTS
from stack.child import ChildProcess, python_child
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.racing_writers import expect_all_in_order, write_all
from tests.messaging.records import TopicReader

_NAIVE: Final = text("select seq from outbox where seq > :after order by seq limit 500")


@pytest.fixture
def published(kafka: KafkaCluster) -> Iterator[TopicReader]:
    reader = TopicReader(kafka, EVENTS)
    yield reader
    reader.close()


async def test_publishes_all_in_order_while_a_naive_poller_loses_some(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    kafka: KafkaCluster,
    published: TopicReader,
    tmp_path: Path,
) -> None:
    async with _relays(1, fresh_urls, kafka, tmp_path), _naive_poller(fresh_database) as naive:
        written = await write_all(fresh_database)
        await expect_all_in_order(published, written)

    assert len(naive) < len(written)


async def test_publishes_all_in_order_from_two_relays(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    kafka: KafkaCluster,
    published: TopicReader,
    tmp_path: Path,
) -> None:
    async with _relays(2, fresh_urls, kafka, tmp_path):
        written = await write_all(fresh_database)
        await expect_all_in_order(published, written)


async def test_publishes_all_in_order_though_the_relay_is_killed_every_second(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    kafka: KafkaCluster,
    published: TopicReader,
    tmp_path: Path,
) -> None:
    killing = asyncio.create_task(_kill_every_second(fresh_urls, kafka, tmp_path))
    written = await write_all(fresh_database)
    killing.cancel()
    with suppress(asyncio.CancelledError):
        await killing
    async with _relays(1, fresh_urls, kafka, tmp_path):
        await expect_all_in_order(published, written)


@asynccontextmanager
async def _naive_poller(database: Database) -> AsyncIterator[set[int]]:
    """Follow the outbox by `seq > last` alone; yields what it has seen."""
    seen: set[int] = set()

    async def poll() -> None:
        last = 0
        while True:
            async with database.reading() as session:
                found = (await session.scalars(_NAIVE, {"after": last})).all()
            seen.update(found)
            last = max((last, *found))
            await asyncio.sleep(0.005)

    polling = asyncio.create_task(poll())
    try:
        yield seen
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling


@asynccontextmanager
async def _relays(
    count: int, urls: DatabaseUrls, kafka: KafkaCluster, logs: Path
) -> AsyncIterator[None]:
    async with AsyncExitStack() as running:
        for _ in range(count):
            running.push_async_callback(_start_relay(urls, kafka, logs).stop)
        yield


async def _kill_every_second(urls: DatabaseUrls, kafka: KafkaCluster, logs: Path) -> None:
    while True:
        relay = _start_relay(urls, kafka, logs)
        try:
            # Its start takes most of a second.
            await asyncio.sleep(2)
        finally:
            relay.kill()
            await relay.wait_until_exited()


def _start_relay(urls: DatabaseUrls, kafka: KafkaCluster, logs: Path) -> ChildProcess:
    module = ["tests.messaging.relay_process", urls.application, kafka.bootstrap_servers]
    return ChildProcess(python_child("relay", module, _always, environment={}), logs=logs)


async def _always(_: ChildProcess) -> bool:
    return True
