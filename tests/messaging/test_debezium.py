"""Debezium in the relay's place, on Apache Kafka: the same records, and no event lost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from db import outbox
from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.relay import Relay
from messaging.topics import OUTBOUND
from stack.kafka_jvm import ConnectWorker
from tests.db.outbox_writers import write_one
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.debezium import Connector, set_up
from tests.messaging.racing_writers import expect_all_in_order, write_all
from tests.messaging.records import Record, TopicReader

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def published(real_kafka: KafkaCluster) -> Iterator[TopicReader]:
    reader = TopicReader(real_kafka, *OUTBOUND)
    yield reader
    reader.close()


@pytest.fixture
async def connector(
    fresh_superuser: Database, fresh_urls: DatabaseUrls, real_connect: ConnectWorker
) -> Connector:
    """Prepare the connector of the test's own database, which is not created yet."""
    await set_up(fresh_superuser)
    return Connector(real_connect, fresh_superuser, fresh_urls.name)


async def test_the_relay_and_debezium_publish_the_same_records(
    fresh_database: Database,
    real_kafka: KafkaCluster,
    connector: Connector,
    published: TopicReader,
) -> None:
    written = await _write_all_sorts(fresh_database)
    async with connector.running():
        written += await _write_all_sorts(fresh_database)
        by_debezium = by_key(await published.read(len(written)))
    published.records.clear()
    relay = Relay(fresh_database, real_kafka)
    await relay.publish()
    await relay.close()
    by_relay = by_key(await published.read(len(written)))

    assert by_relay == by_debezium
    published_ids = {record.event_id for records in by_relay.values() for record in records}
    assert published_ids == set(written)


async def test_loses_nothing_when_the_replication_slot_is_dropped(
    fresh_database: Database, connector: Connector, published: TopicReader
) -> None:
    async with connector.running():
        before = await write_one(fresh_database)
        await published.read(1)
        await connector.stop()
        await connector.drop_slot()
        missed = await write_one(fresh_database)
        await connector.resume()
        await connector.wait_until(connector.is_streaming)
        after = await write_one(fresh_database)

        ids = {str(event_id) for event_id in (before, missed, after)}
        await published.read_until(lambda records: {r.event_id for r in records} >= ids)


async def test_publishes_all_in_order_of_16_writers(
    fresh_database: Database, connector: Connector, published: TopicReader
) -> None:
    async with connector.running():
        written = await write_all(fresh_database)
        await expect_all_in_order(published, written)


async def test_a_quiet_outbox_beside_busy_tables_holds_back_no_wal(
    fresh_database: Database, connector: Connector, published: TopicReader
) -> None:
    hasty = replace(connector, address={"heartbeat.interval.ms": "500"})
    async with hasty.running():
        await write_one(fresh_database)
        await published.read(1)
        written_to = await hasty.write_elsewhere()
        await hasty.wait_until(lambda: hasty.has_confirmed(written_to))


async def _write_all_sorts(database: Database) -> list[str]:
    payload = {
        "text": 'Größe € \u2028 "quoted" \\ / <b>',
        "numbers": [0, -1, 10**15, 1.5, 1e30],
        "nested": {"b": {"z": None, "a": True}, "long name": [], "": {}},
    }
    ids = []
    async with database.transaction() as session:
        for number in range(40):
            event_id = uuid4()
            await outbox.write_event(
                session,
                event_id=event_id,
                type_=f"Type{number}",
                key=f"key-{number % 7}-é",
                payload=payload | {"event_id": str(event_id)},
                aggregate=("referral", "notification")[number % 2],
            )
            ids.append(str(event_id))
    return ids


def by_key(records: Sequence[Record]) -> Mapping[tuple[str, bytes], Sequence[Record]]:
    """Return the records in their order under each topic and key."""
    found: dict[tuple[str, bytes], list[Record]] = {}
    for record in records:
        found.setdefault((record.topic, record.key), []).append(record)
    return found
