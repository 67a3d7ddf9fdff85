"""The outbox after a dump was restored into a new cluster, where transaction ids begin anew."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.relay import Relay
from messaging.topics import EVENTS
from stack.postgres import PostgresCluster, temporary_cluster
from tests.db.outbox_writers import write_one
from tests.fixtures import dumps
from tests.fixtures.databases import DatabaseUrls, open_database, urls
from tests.messaging.records import TopicReader


@pytest.fixture
def published(kafka: KafkaCluster) -> Iterator[TopicReader]:
    reader = TopicReader(kafka, EVENTS)
    yield reader
    reader.close()


@pytest.fixture
async def new_cluster() -> AsyncIterator[PostgresCluster]:
    async with temporary_cluster() as cluster:
        yield cluster


async def test_publishes_what_was_left_and_what_is_new_each_once(
    fresh_database: Database,
    fresh_urls: DatabaseUrls,
    new_cluster: PostgresCluster,
    kafka: KafkaCluster,
    published: TopicReader,
) -> None:
    await _spend_transaction_ids(fresh_database)
    done = [await write_one(fresh_database) for _ in range(20)]
    await _publish(fresh_database, kafka)
    left = [await write_one(fresh_database) for _ in range(20)]

    restored = await _restore(fresh_urls, new_cluster)
    async with open_database(restored.application) as database:
        new = [await write_one(database) for _ in range(20)]
        assert await _newest_transaction_id(database) < await _newest_transaction_id(fresh_database)
        await _publish(database, kafka)
        newest = await write_one(database)
        await _publish(database, kafka)

    expected = [str(event_id) for event_id in (*done, *left, *new, newest)]
    records = await published.read(len(expected))
    assert sorted(record.event_id for record in records) == sorted(expected)


async def _publish(database: Database, kafka: KafkaCluster) -> None:
    """Publish epoch after epoch until nothing is left, and leave the place to the next relay."""
    relay = Relay(database, kafka)
    for _ in range(3):
        await relay.publish()
    await relay.close()


async def _spend_transaction_ids(database: Database) -> None:
    spend = text("""
        do $$ begin
            for _ in 1..3000 loop perform pg_current_xact_id(); commit; end loop;
        end $$
    """)
    async with database.autocommit() as connection:
        await connection.execute(spend)


async def _newest_transaction_id(database: Database) -> int:
    async with database.reading() as session:
        newest = text("select pg_snapshot_xmax(pg_current_snapshot())::text")
        return int(await session.scalar(newest) or 0)


async def _restore(given: DatabaseUrls, cluster: PostgresCluster) -> DatabaseUrls:
    """Dump a database and restore it into another cluster, where the roles exist."""
    target = urls(cluster, "referrals")
    await dumps.restore(await dumps.dump(given.superuser), target.superuser)
    return target
