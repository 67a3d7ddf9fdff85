"""The courier as the publisher of events."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from courier.work_loop import WorkLoop
from db.engine import Database
from db.outbox_reader import OutboxReader
from messaging.kafka import KafkaCluster
from messaging.topics import EVENTS
from runtime.kafka_settings import EventsPublisher
from runtime.settings import Settings
from tests.courier.test_courier import running_courier, settings_for
from tests.db.outbox_writers import write_one
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.records import TopicReader

NO_TEMPORAL = "127.0.0.1:1"


@pytest.fixture
def published(kafka: KafkaCluster) -> Iterator[TopicReader]:
    reader = TopicReader(kafka, EVENTS)
    yield reader
    reader.close()


@pytest.fixture
def courier_settings(settings: Settings, fresh_urls: DatabaseUrls, kafka: KafkaCluster) -> Settings:
    own = settings_for(settings, fresh_urls, NO_TEMPORAL)
    return own.model_copy(update={"kafka_bootstrap_servers": kafka.bootstrap_servers})


async def test_a_courier_publishes_events_and_leaves_its_place_to_the_next(
    fresh_database: Database, courier_settings: Settings, published: TopicReader
) -> None:
    first = await write_one(fresh_database)
    async with running_courier(courier_settings):
        await published.read(1)
    second = await write_one(fresh_database)
    async with running_courier(courier_settings):
        records = await published.read(2)

    assert [record.event_id for record in records] == [str(first), str(second)]
    assert await OutboxReader(fresh_database, "relay").claim() is not None


@pytest.mark.parametrize(
    "update",
    [{"events_publisher": EventsPublisher.DEBEZIUM}, {"kafka_bootstrap_servers": None}],
    ids=["debezium", "without Kafka"],
)
async def test_a_courier_that_is_not_the_publisher_takes_no_lease(
    fresh_database: Database, courier_settings: Settings, update: dict[str, object]
) -> None:
    await write_one(fresh_database)
    async with running_courier(courier_settings.model_copy(update=update)):
        pass

    async with fresh_database.reading() as session:
        readers = await session.scalars(text("select name from outbox_readers"))
    assert "relay" not in set(readers)


async def test_a_loop_that_cannot_close_still_ends() -> None:
    async def fail() -> None:
        raise OSError("away")

    async def finish() -> bool:
        loop.stop()
        return False

    loop = WorkLoop("closing", finish, close=fail)
    await loop.run()
