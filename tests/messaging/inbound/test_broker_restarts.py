"""A broker that is killed, and comes back without what it had."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from db.engine import Database
from messaging import topics
from messaging.kafka import KafkaCluster
from sandbox.sportsbook.polling import wait_until
from stack import ports
from stack.child import ChildProcess
from stack.kafka import kafka_child
from tests.api.bodies import deposit
from tests.messaging.inbound.reading import stored
from tests.messaging.stream import Sender, Stream, consuming


async def send_and_wait(database: Database, stream: Stream, *, total: int) -> None:
    sender = Sender(stream)
    for _ in range(20):
        sender.send(deposit())
    await sender.flush()
    await wait_until(
        lambda: stored(database, stream), lambda seen: seen == total, what="all", within_s=90
    )


@pytest.mark.timeout(240)
async def test_reads_on_after_a_broker_came_back_empty(database: Database, tmp_path: Path) -> None:
    port = await asyncio.to_thread(ports.find_free)
    stream = Stream(KafkaCluster(bootstrap_servers=f"127.0.0.1:{port}"), session_ms=2000)
    names = [stream.topic(like) for like in topics.INBOUND]
    child = kafka_child(port=port)
    child = replace(child, command=[*child.command, *names, *map(topics.dead_letters_of, names)])
    broker = ChildProcess(child, logs=tmp_path)
    try:
        await broker.wait_until_ready()
        async with consuming(database, stream):
            await send_and_wait(database, stream, total=20)
            broker.kill()
            await broker.wait_until_exited()
            broker = ChildProcess(child, logs=tmp_path)
            await broker.wait_until_ready()
            await send_and_wait(database, stream, total=40)
    finally:
        await broker.stop()
