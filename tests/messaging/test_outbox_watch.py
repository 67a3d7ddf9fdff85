"""The watch over publishing: what it shows, and when it warns."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from structlog.testing import capture_logs

from db.engine import Database
from db.outbox_lag import OutboxLag, load_outbox_lag
from messaging.kafka import KafkaCluster
from messaging.outbox_watch import OutboxWatch
from messaging.relay import Relay
from tests.db.outbox_writers import write_one
from tests.fixtures.databases import DatabaseUrls


@pytest.fixture
async def slot(fresh_urls: DatabaseUrls, fresh_superuser: Database) -> AsyncIterator[str]:
    """Create a replication slot, and drop it where the test has not."""
    name = f"slot_of_{fresh_urls.name}"
    async with fresh_superuser.transaction() as session:
        create = text("select pg_create_logical_replication_slot(:slot, 'pgoutput')")
        await session.execute(create, {"slot": name})
    yield name
    await _drop(fresh_superuser, name)


async def test_counts_what_the_relay_has_not_published(
    fresh_database: Database, kafka: KafkaCluster
) -> None:
    registry = CollectorRegistry()
    watch = OutboxWatch(fresh_database, registry=registry, slot=None, every_s=0)
    await write_one(fresh_database)
    assert await _lag(fresh_database) == OutboxLag(0, 0)
    relay = Relay(fresh_database, kafka)
    await relay.publish()
    for _ in range(3):
        await write_one(fresh_database)
    await watch.look()

    assert registry.get_sample_value("referrals_outbox_unpublished") == 3
    assert (registry.get_sample_value("referrals_outbox_age_seconds") or 0) > 0
    await relay.publish()
    await watch.look()
    assert registry.get_sample_value("referrals_outbox_unpublished") == 0
    assert registry.get_sample_value("referrals_outbox_age_seconds") == 0


async def test_counts_nothing_once_debezium_is_the_publisher(
    fresh_database: Database, kafka: KafkaCluster, slot: str
) -> None:
    relay = Relay(fresh_database, kafka)
    await relay.publish()
    await relay.close()
    await write_one(fresh_database)
    assert (await _lag(fresh_database)).events == 1

    await OutboxWatch(fresh_database, registry=CollectorRegistry(), slot=slot).look()

    assert await _lag(fresh_database) == OutboxLag(0, 0)


async def test_shows_how_much_wal_a_slot_holds_back(fresh_database: Database, slot: str) -> None:
    registry = CollectorRegistry()
    watch = OutboxWatch(fresh_database, registry=registry, slot=slot, every_s=0)
    await write_one(fresh_database)
    await watch.look()

    assert registry.get_sample_value("referrals_outbox_slot_missing") == 0
    assert (registry.get_sample_value("referrals_outbox_slot_lag_bytes") or 0) > 0


async def test_warns_once_when_the_slot_is_dropped(
    fresh_database: Database, fresh_superuser: Database, slot: str
) -> None:
    registry = CollectorRegistry()
    watch = OutboxWatch(fresh_database, registry=registry, slot=slot, every_s=0)
    await watch.look()
    await _drop(fresh_superuser, slot)
    with capture_logs() as logs:
        await watch.look()
        await watch.look()

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("outbox_slot_missing", "error")
    ]
    assert registry.get_sample_value("referrals_outbox_slot_missing") == 1


async def _lag(database: Database) -> OutboxLag:
    async with database.reading() as session:
        return await load_outbox_lag(session)


async def _drop(superuser: Database, slot: str) -> None:
    drop = text("""
        select pg_drop_replication_slot(slot_name) from pg_replication_slots
         where slot_name = :slot
    """)
    async with superuser.transaction() as session:
        await session.execute(drop, {"slot": slot})
