"""The floor of the Kafka door: a minimal consumer that inserts batches, then commits offsets."""

import asyncio
import json
import os
from typing import Final

import asyncpg
import structlog
import uvloop
from confluent_kafka import Consumer, Message

from messaging.kafka import KafkaCluster
from messaging.topics import DEPOSITS
from runtime.exit import exit_process, stop_event
from runtime.logs import configure_logging

BATCH_MESSAGES: Final = 500
POLL_S: Final = 0.1
GROUP: Final = "floor"
CREATE_TABLE: Final = """
    create table floor_messages (
        id text primary key, body jsonb not null, heard_at timestamptz not null default now())
"""
_INSERT: Final = """
    insert into floor_messages (id, body) values ($1, $2) on conflict do nothing
"""


async def main() -> None:
    """Consume until SIGTERM from FLOOR_KAFKA into the database of FLOOR_DSN."""
    configure_logging("INFO")
    stop = stop_event()
    cluster = KafkaCluster(bootstrap_servers=os.environ["FLOOR_KAFKA"])
    # A batch is stored before the next is read, so what was read is what may be committed.
    properties = cluster.consumer_properties(group=GROUP) | {"enable.auto.offset.store": True}
    consumer = Consumer(properties)
    consumer.subscribe([DEPOSITS])
    connection = await asyncpg.connect(os.environ["FLOOR_DSN"])
    structlog.get_logger().info("ready")
    while not stop.is_set():
        messages = await asyncio.to_thread(consumer.consume, BATCH_MESSAGES, POLL_S)
        if messages:
            await connection.executemany(_INSERT, [_row(message) for message in messages])
            await asyncio.to_thread(consumer.commit, asynchronous=False)
    consumer.close()


def _row(message: Message) -> tuple[str, str]:
    body = (message.value() or b"").decode()
    return str(json.loads(body)["event_id"]), body


if __name__ == "__main__":
    uvloop.run(main())
    exit_process(0)
