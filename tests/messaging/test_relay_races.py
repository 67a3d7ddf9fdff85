"""The outbox under concurrent writers: every event is published, in order per referral.

`OUTBOX_EVENTS=4000 pytest tests/messaging/test_relay_races.py` plays the full size.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db import outbox
from db.engine import Database, Session
from messaging.kafka import KafkaCluster
from messaging.topics import EVENTS
from stack.child import ChildProcess, python_child
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.records import Record, TopicReader

WRITERS: Final = 16
WRITTEN: Final = int(os.environ.get("OUTBOX_EVENTS", "800"))
KEYS: Final = 40
"""Referrals that the writers share, so that they wait for each other's locks."""
LONGEST_S: Final = 0.05
SLOW_S: Final = 5.0 if WRITTEN >= 4000 else 1.5
"""Duration of the one transaction that is open long."""
_NAIVE: Final = text("select seq from outbox where seq > :after order by seq limit 500")


@dataclass(slots=True)
class Written:
    """Ids of committed events by their key, in the order in which the key's lock was held."""

    by_key: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.by_key.values()))

    def add(self, key: str, event_id: UUID) -> None:
        self.by_key.setdefault(key, []).append(str(event_id))


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
        written = await _write_all(fresh_database)
        await _expect_all_in_order(published, written)

    assert len(naive) < len(written)


async def test_publishes_all_in_order_from_two_relays(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    kafka: KafkaCluster,
    published: TopicReader,
    tmp_path: Path,
) -> None:
    async with _relays(2, fresh_urls, kafka, tmp_path):
        written = await _write_all(fresh_database)
        await _expect_all_in_order(published, written)


async def test_publishes_all_in_order_though_the_relay_is_killed_every_second(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    kafka: KafkaCluster,
    published: TopicReader,
    tmp_path: Path,
) -> None:
    killing = asyncio.create_task(_kill_every_second(fresh_urls, kafka, tmp_path))
    written = await _write_all(fresh_database)
    killing.cancel()
    with suppress(asyncio.CancelledError):
        await killing
    async with _relays(1, fresh_urls, kafka, tmp_path):
        await _expect_all_in_order(published, written)


async def _expect_all_in_order(published: TopicReader, written: Written) -> None:
    records = await published.read_until(
        lambda records: len({record.event_id for record in records}) >= len(written)
    )
    assert _first_copies_by_key(records) == written.by_key


def _first_copies_by_key(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return what a consumer sees that drops copies by their id."""
    seen: set[str] = set()
    by_key: dict[str, list[str]] = {}
    for record in records:
        if record.event_id not in seen:
            seen.add(record.event_id)
            by_key.setdefault(record.key.decode(), []).append(record.event_id)
    return by_key


async def _write_all(database: Database) -> Written:
    written = Written()
    keys = [f"referral-{n}-{uuid4()}" for n in range(KEYS)]
    per_writer = WRITTEN // WRITERS
    async with asyncio.TaskGroup() as writers:
        writers.create_task(_write(database, written, "slow", within_s=SLOW_S))
        for seed in range(WRITERS):
            writers.create_task(_write_many(database, written, keys, per_writer, seed))
    return written


async def _write_many(
    database: Database, written: Written, keys: Sequence[str], count: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for _ in range(count):
        await _write(database, written, chance.choice(keys), within_s=chance.uniform(0, LONGEST_S))


async def _write(database: Database, written: Written, key: str, *, within_s: float) -> None:
    """Write one event as an act does: take a transaction id, wait for the referral's lock, write.

    The transaction stays open for a while before and after the event.
    """
    event_id = uuid4()
    async with database.transaction() as session:
        await session.execute(text("select pg_current_xact_id()"))
        await asyncio.sleep(within_s / 2)
        await _lock(session, key)
        await outbox.write_event(
            session, event_id=event_id, type_="T", key=key, payload={"event_id": str(event_id)}
        )
        await asyncio.sleep(within_s / 2)
        # Nobody else can write about this key until the commit, which follows at once.
        written.add(key, event_id)


async def _lock(session: Session, key: str) -> None:
    lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await session.execute(lock, {"key": key})


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
