"""The relay of a service's outbox: publishes rows to Kafka in the order of their transactions."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import structlog
from confluent_kafka import KafkaException, Producer

from sandbox.sportsbook.services.connections import Pool, connect

BATCH_ROWS: Final = 1000
FLUSH_TIMEOUT_S: Final = 10.0
IDLE_POLL_S: Final = 1.0
"""Longest wait for a wake-up, which a lost connection would not deliver."""
SETTLING_POLL_S: Final = 0.01
"""Wait for transactions that are older than a committed row and still in progress."""
OUTAGE_PAUSE_S: Final = 0.5
CHANNEL: Final = "outbox"
# A row becomes visible to this statement only when no older transaction can still commit: a
# cursor over `seq` alone would overtake rows that commit late, and never return to them.
_READ: Final = """
    SELECT id, aggregatetype, aggregateid, type, payload::text, schema_version, xid::text, seq
    FROM outbox
    WHERE (xid, seq) > (SELECT xid, seq FROM outbox_cursor)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY outbox.xid, seq LIMIT $1
"""
_ADVANCE: Final = "UPDATE outbox_cursor SET xid = $1::text::xid8, seq = $2"
_COUNT_UNPUBLISHED: Final = """
    SELECT count(*) FROM outbox WHERE (xid, seq) > (SELECT xid, seq FROM outbox_cursor)
"""
_REWIND: Final = "UPDATE outbox_cursor SET xid = '0', seq = 0"
_LOCK: Final = "SELECT pg_advisory_lock(hashtext('outbox relay'))"
TRANSIENT_FAULTS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaException)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OutboxRelay:
    """A relay of which any number may run on one outbox: one publishes, the others wait.

    A batch that the broker did not acknowledge as a whole is published again, so a message may
    come twice; its event id stays the same.
    """

    dsn: str
    bootstrap_servers: str

    async def run(self) -> None:
        """Publish until cancelled, through outages of Postgres and Kafka."""
        while True:
            try:
                await self._publish_for_ever()
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                KafkaException,
            ) as fault:
                log.warning("relay_waits", error=repr(fault))
                await asyncio.sleep(OUTAGE_PAUSE_S)

    async def _publish_for_ever(self) -> None:
        producer = Producer(producer_options(self.bootstrap_servers))
        async with connect(self.dsn) as connection, _wake_ups(connection) as woken:
            await connection.execute(_LOCK)
            while True:
                woken.clear()
                rows = await connection.fetch(_READ, BATCH_ROWS)
                if rows:
                    await asyncio.to_thread(publish, producer, rows)
                    await connection.execute(_ADVANCE, rows[-1]["xid"], rows[-1]["seq"])
                elif await connection.fetchval(_COUNT_UNPUBLISHED):
                    await asyncio.sleep(SETTLING_POLL_S)
                else:
                    await _wait(woken)


def producer_options(bootstrap_servers: str) -> dict[str, Any]:
    """Return properties of a producer that keeps the order; partitions are those of Debezium."""
    return {
        "bootstrap.servers": bootstrap_servers,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 0,
        "partitioner": "murmur2_random",
        "message.timeout.ms": round(FLUSH_TIMEOUT_S * 1000),
    }


def publish(producer: Producer, rows: Sequence[asyncpg.Record]) -> None:
    """Publish rows in order; raise KafkaException unless the broker acknowledged each of them."""
    faults: list[object] = []

    def on_delivery(fault: object, _: object) -> None:
        if fault is not None:
            faults.append(fault)

    for row in rows:
        producer.produce(
            row["aggregatetype"],
            key=row["aggregateid"].encode(),
            value=row["payload"].encode(),
            headers=_headers(row),
            on_delivery=on_delivery,
        )
    unsent = producer.flush(2 * FLUSH_TIMEOUT_S)
    if unsent or faults:
        raise KafkaException(faults[0] if faults else f"{unsent} messages are not acknowledged")


async def count_unpublished(pool: Pool) -> int:
    return int(await pool.fetchval(_COUNT_UNPUBLISHED))


async def rewind(pool: Pool) -> None:
    """Publish everything again, for a broker that has lost its messages."""
    await pool.execute(_REWIND)


def _headers(row: asyncpg.Record) -> list[tuple[str, str | bytes | None]]:
    return [
        ("id", str(row["id"]).encode()),
        ("type", row["type"].encode()),
        ("schema_version", str(row["schema_version"]).encode()),
    ]


@asynccontextmanager
async def _wake_ups(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> AsyncIterator[asyncio.Event]:
    woken = asyncio.Event()

    def wake(*_: object) -> None:
        woken.set()

    # A closed connection wakes the relay, too: its next statement then raises.
    connection.add_termination_listener(wake)
    await connection.add_listener(CHANNEL, wake)
    yield woken


async def _wait(woken: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(IDLE_POLL_S):
            await woken.wait()
