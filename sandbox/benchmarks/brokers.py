"""Brokers under the stack of a benchmark: librdkafka's mock cluster, or Apache Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from sandbox.benchmarks.streams import backlog_consumer, floor_consumer
from stack import ports, run_stack
from stack.clean import discard
from stack.embedded import Progress
from stack.kafka import TOPICS
from stack.kafka_jvm import Broker, create_topics, jars
from stack.state_directory import PORTS_FILE, Connection


class BrokerKind(StrEnum):
    MOCK = "mock"
    """Keeps its messages in memory, and is always there."""
    APACHE = "apache"
    """One node in KRaft mode on the JVM."""


@asynccontextmanager
async def run_on(
    kind: BrokerKind, directory: Path, *, progress: Progress
) -> AsyncIterator[Connection]:
    """Run a new stack in `directory` on a broker of this kind.

    Raises MissingKafkaError where Java, Maven or the jars cannot be had.
    """
    if kind is BrokerKind.MOCK:
        async with run_stack(directory, fresh=True, progress=progress) as connection:
            yield connection
        return
    libraries = await asyncio.to_thread(jars)
    broker = await asyncio.to_thread(_new_broker, directory)
    await asyncio.to_thread(broker.format, libraries)

    async def prepare(_: Connection) -> None:
        topics = (*TOPICS, floor_consumer.TOPIC, backlog_consumer.TOPIC)
        await asyncio.to_thread(create_topics, broker.bootstrap_servers, topics)

    child = replace(broker.child(libraries), name="kafka")
    async with run_stack(directory, broker=child, prepare=prepare, progress=progress) as connection:
        yield connection


def _new_broker(directory: Path) -> Broker:
    discard(directory)
    directory.mkdir(parents=True)
    return Broker(
        directory=directory.resolve() / "kafka",
        port=ports.choose(directory / PORTS_FILE)["kafka"],
        controller_port=ports.find_free(),
    )
