"""The relay of the sandbox's outboxes: every event, in each player's order."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Consumer

from messaging.kafka import KafkaCluster
from messaging.topics import CHARGEBACKS, DEPOSITS
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import unique_id
from sandbox.sportsbook.services.connections import Pool
from sandbox.sportsbook.services.outbox import EventType, OutboxEvent, write_event
from sandbox.sportsbook.services.payments import PaymentsService
from sandbox.sportsbook.services.relay import count_unpublished, rewind
from sandbox.sportsbook.services.running import run_relays
from tests.sandbox.sportsbook.events import events_of

TIME_TO_OVERTAKE_S: Final = 0.3
"""Ample time for a relay that does not wait to publish what it must not publish yet."""


async def wait_until_published(pool: Pool) -> None:
    await wait_until(
        lambda: count_unpublished(pool), lambda count: count == 0, what="an empty outbox"
    )


def read_topics(kafka: KafkaCluster, *topics: str) -> list[tuple[str, dict[str, Any]]]:
    """Return key and body of every message, in the order of their partitions."""
    consumer = Consumer(
        kafka.consumer_properties(group=uuid4().hex) | {"enable.partition.eof": True}
    )
    consumer.subscribe(list(topics))
    read: list[tuple[str, dict[str, Any]]] = []
    ended: set[tuple[str | None, int | None]] = set()
    while len(ended) < 4 * len(topics):
        message = consumer.poll(10)
        assert message is not None
        if message.error() is not None:
            ended.add((message.topic(), message.partition()))
        else:
            read.append(((message.key() or b"").decode(), json.loads(message.value() or b"")))
    consumer.close()
    return read


async def test_publishes_each_players_events_in_their_order(
    payments_service: PaymentsService, payments_pool: Pool, payments_dsn: str, kafka: KafkaCluster
) -> None:
    players = [unique_id("player") for _ in range(8)]

    async with run_relays([payments_dsn] * 2, kafka.bootstrap_servers):
        for player_id in players:
            for _ in range(3):
                await payments_service.deposit(player_id)
        await wait_until_published(payments_pool)

    read = await asyncio.to_thread(read_topics, kafka, DEPOSITS)
    for player_id in players:
        written = [body | {} for body in await events_of(payments_pool, player_id)]
        for body in written:
            body.pop("topic")
        assert [body for key, body in read if key == player_id] == written


async def test_waits_for_a_transaction_that_began_earlier_and_commits_later(
    payments_service: PaymentsService, payments_pool: Pool, payments_dsn: str, kafka: KafkaCluster
) -> None:
    early, late = unique_id("player"), unique_id("player")
    event = OutboxEvent(
        type=EventType.DEPOSIT_COMPLETED,
        act=late,
        player_id=late,
        occurred_at=datetime.now(UTC),
        fields={},
    )

    async with (
        run_relays([payments_dsn], kafka.bootstrap_servers),
        payments_pool.acquire() as connection,
    ):
        async with connection.transaction():
            # Its number is taken now, and its event is written after the other's was committed.
            await connection.execute("SELECT pg_current_xact_id()")
            await payments_service.deposit(early)
            await asyncio.sleep(TIME_TO_OVERTAKE_S)
            unpublished = await count_unpublished(payments_pool)
            await write_event(connection, event)
        await wait_until_published(payments_pool)

    keys = [key for key, _ in await asyncio.to_thread(read_topics, kafka, DEPOSITS)]
    assert unpublished == 1
    assert {early, late} <= set(keys)


async def test_publishes_again_what_a_broker_has_lost(
    payments_service: PaymentsService, payments_pool: Pool, payments_dsn: str, kafka: KafkaCluster
) -> None:
    player_id = unique_id("player")
    async with run_relays([payments_dsn], kafka.bootstrap_servers):
        await payments_service.charge_back(await payments_service.deposit(player_id))
        await wait_until_published(payments_pool)
        await rewind(payments_pool)
        await wait_until_published(payments_pool)

    read = await asyncio.to_thread(read_topics, kafka, CHARGEBACKS)
    (first, again) = [body for key, body in read if key == player_id]
    assert first == again
