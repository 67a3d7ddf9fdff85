"""The relay: what it publishes, and what it does while Kafka or another relay is in its way."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from db import outbox
from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.relay import PublishingError, Relay, UnknownAggregateError
from messaging.topics import OUTBOUND
from stack import ports
from tests.db.outbox_writers import write_one
from tests.messaging.records import TopicReader


@pytest.fixture
def published(kafka: KafkaCluster) -> Iterator[TopicReader]:
    reader = TopicReader(kafka, *OUTBOUND)
    yield reader
    reader.close()


@pytest.fixture
async def relay(fresh_database: Database, kafka: KafkaCluster) -> AsyncIterator[Relay]:
    relay = Relay(fresh_database, kafka)
    yield relay
    await relay.close()


async def test_publishes_each_event_to_the_topic_of_its_aggregate(
    fresh_database: Database, relay: Relay, published: TopicReader
) -> None:
    event_id, notification_id = uuid4(), uuid4()
    async with fresh_database.transaction() as session:
        for id_, aggregate in ((event_id, "referral"), (notification_id, "notification")):
            await outbox.write_event(
                session,
                event_id=id_,
                type_="AType",
                key="a-key",
                payload={"b": [1, None], "a": "Größe €"},
                aggregate=aggregate,
            )
    assert not await relay.publish()

    by_topic = {record.topic: record for record in await published.read(2)}
    event = by_topic["referral.events.v1"]
    assert by_topic["referral.notifications.v1"].event_id == str(notification_id)
    assert event.key == b"a-key"
    assert event.value == '{"a": "Größe €", "b": [1, null]}'.encode()
    assert event.headers == (
        ("id", str(event_id).encode()),
        ("type", b"AType"),
        ("schema_version", str(outbox.SCHEMA_VERSION).encode()),
    )


async def test_publishes_each_event_once(
    fresh_database: Database, relay: Relay, published: TopicReader
) -> None:
    first = await write_one(fresh_database, "a-key")
    await relay.publish()
    await relay.publish()
    second = await write_one(fresh_database, "a-key")
    await relay.publish()

    assert [record.event_id for record in await published.read(2)] == [str(first), str(second)]


async def test_keeps_its_place_while_kafka_is_away(
    fresh_database: Database, kafka: KafkaCluster, published: TopicReader
) -> None:
    nowhere = KafkaCluster(bootstrap_servers=f"127.0.0.1:{ports.find_free()}")
    event_id = await write_one(fresh_database)
    cut_off = Relay(fresh_database, nowhere, delivery_timeout_s=0.5)
    with pytest.raises(PublishingError, match="timed out"):
        await cut_off.publish()
    await cut_off.close()

    await Relay(fresh_database, kafka).publish()

    assert [record.event_id for record in await published.read(1)] == [str(event_id)]


async def test_only_one_of_two_relays_publishes(
    fresh_database: Database, relay: Relay, kafka: KafkaCluster, published: TopicReader
) -> None:
    second = Relay(fresh_database, kafka)
    await relay.publish()
    event_id = await write_one(fresh_database)

    assert not await second.publish()
    await relay.close()
    await second.publish()

    assert [record.event_id for record in await published.read(1)] == [str(event_id)]


async def test_another_takes_over_from_a_relay_that_is_gone(
    fresh_database: Database, relay: Relay, kafka: KafkaCluster, published: TopicReader
) -> None:
    event_id = await write_one(fresh_database)
    await Relay(fresh_database, kafka, lease_s=0).publish()
    later_id = await write_one(fresh_database)
    await relay.publish()

    records = await published.read(2)
    assert [record.event_id for record in records] == [str(event_id), str(later_id)]


async def test_leaves_events_of_a_newer_release_to_a_newer_relay(
    fresh_database: Database, relay: Relay, kafka: KafkaCluster
) -> None:
    async with fresh_database.transaction() as session:
        await outbox.write_event(
            session, event_id=uuid4(), type_="T", key="k", payload={}, aggregate="novelty"
        )
    with pytest.raises(UnknownAggregateError, match="novelty"):
        await relay.publish()

    with pytest.raises(UnknownAggregateError):
        await Relay(fresh_database, kafka).publish()
