"""The floor of the Kafka door: a minimal consumer that inserts batches, then commits offsets."""

import asyncio
import json
import os
from functools import partial
from typing import Final

import asyncpg
import structlog
import uvloop
from confluent_kafka import Consumer, Message

from messaging.inbound.subscription import MAX_BATCH_RECORDS
from messaging.kafka import KafkaCluster
from runtime.exit import exit_process, stop_event
from runtime.logs import configure_logging

POLL_S: Final = 0.1
TOPIC: Final = "bench.floor"
GROUP: Final = "bench-floor"
CREATE_TABLE: Final = """
    create table floor_messages (
        id text primary key, body jsonb not null, heard_at timestamptz not null default now())
"""
_INSERT: Final = "insert into floor_messages (id, body) values ($1, $2) on conflict do nothing"


async def main() -> None:
    """Consume until SIGTERM from FLOOR_KAFKA into the database of FLOOR_DSN."""
    configure_logging("INFO")
    stop = stop_event()
    cluster = KafkaCluster(bootstrap_servers=os.environ["FLOOR_KAFKA"])
    # A batch is stored before the next is read, so what was read is what may be committed.
    properties = cluster.consumer_properties(group=GROUP) | {"enable.auto.offset.store": True}
    consumer = Consumer(properties)
    consumer.subscribe([TOPIC])
    connection = await asyncpg.connect(os.environ["FLOOR_DSN"])
    structlog.get_logger().info("ready")
    while not stop.is_set():
        messages = await asyncio.to_thread(consumer.consume, MAX_BATCH_RECORDS, POLL_S)
        if rows := [_row(message) for message in messages if message.error() is None]:
            await connection.executemany(_INSERT, rows)
            await asyncio.to_thread(partial(consumer.commit, asynchronous=False))
    consumer.close()


def _row(message: Message) -> tuple[str, str]:
    body = (message.value() or b"").decode()
    return str(json.loads(body)["event_id"]), body


if __name__ == "__main__":
    uvloop.run(main())
    exit_process(0)
