"""The warehouse's consumer: records of a real broker, read again after a crash."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from analytics import reports
from analytics.backfill import backfill
from analytics.consumer import WarehouseConsumer
from analytics.warehouse import EmbeddedWarehouse
from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.topics import EVENTS
from referrals.campaigns.codes import record_share
from referrals.reports.funnel import By
from referrals.reports.span import Span
from sandbox.sportsbook.polling import wait_until
from tests.builders import NOW, a_code, unique


@pytest.fixture
def empty_warehouse(tmp_path: Path) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse")
    yield warehouse
    warehouse.close()


async def test_loads_what_is_published_once_however_often_it_is_read(
    kafka: KafkaCluster, empty_warehouse: EmbeddedWarehouse
) -> None:
    campaign = unique("campaign")
    publish(
        kafka,
        b"not JSON",
        b"[]",
        share(campaign, id_="no UUID"),
        *(share(campaign) for _ in range(3)),
    )

    for _ in range(2):
        group = unique("warehouse")
        consumer = WarehouseConsumer(kafka, empty_warehouse, group=group, poll_s=0.5)

        async def shares(consumer: WarehouseConsumer = consumer) -> int:
            consumer.load_batch()
            return shares_of(empty_warehouse, campaign)

        assert await wait_until(shares, lambda found: found >= 3, what="shares", within_s=30) == 3


async def test_a_backfill_loads_what_was_published_before_and_a_repeat_changes_nothing(
    fresh_database: Database, empty_warehouse: EmbeddedWarehouse
) -> None:
    async with fresh_database.transaction() as session:
        code = await a_code(session)
        await record_share(session, code=code.code, channel="whatsapp", at=NOW)

    assert await backfill(fresh_database, empty_warehouse) == 1
    assert await backfill(fresh_database, empty_warehouse) == 1

    (row,) = reports.load_funnel(empty_warehouse, Span(), by=By.DAY)
    assert (row.group, row.counts["shares"]) == ("2026-03-01", 1)


def share(campaign: str, *, id_: str | None = None) -> bytes:
    event: dict[str, Any] = {
        "event_id": id_ or str(uuid4()),
        "type": "ShareRecorded",
        "occurred_at": datetime.now(UTC).isoformat(),
        "campaign": campaign,
        "referral_id": None,
    }
    return json.dumps(event).encode()


def publish(cluster: KafkaCluster, *values: bytes) -> None:
    producer = Producer(cluster.producer_properties())
    for value in values:
        producer.produce(EVENTS, value, key=b"a-code")
    assert producer.flush(10) == 0


def shares_of(warehouse: EmbeddedWarehouse, campaign: str) -> int:
    rows = reports.load_funnel(warehouse, Span(campaign=campaign), by=By.CAMPAIGN)
    return sum(row.counts["shares"] for row in rows)
