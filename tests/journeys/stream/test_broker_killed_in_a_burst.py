"""Apache Kafka under the whole stack, killed with the courier in a burst of the services."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.sportsbook.client import connect_sportsbook
from sandbox.sportsbook.lives import CONVERGED_WITHIN_S, Lives
from sandbox.sportsbook.services.running import run_services
from stack import Connection, ports, run_stack
from stack.clean import discard
from stack.kafka import TOPICS
from stack.kafka_jvm import Broker, create_topics
from tests.journeys.stack_processes import kill_child, use_free_ports, wait_for_restart
from tests.journeys.stream.bursts import AT_ONCE, wait_for_more_lives, wait_until_all_is_read

RESTART_S = 120.0
"""Bounds the start of a broker that was killed, which reads its log first."""


@pytest.fixture
def real_directory(tmp_path: Path) -> Path:
    return use_free_ports(tmp_path)


@pytest.fixture
async def real_stack(real_directory: Path, kafka_jars: Path) -> AsyncIterator[Connection]:
    """Run a stack on Apache Kafka."""
    broker = Broker(
        directory=real_directory / "kafka",
        port=ports.choose(real_directory / "ports.json")["kafka"],
        controller_port=await asyncio.to_thread(ports.find_free),
    )
    await asyncio.to_thread(broker.format, kafka_jars)
    child = replace(broker.child(kafka_jars), name="kafka")
    async with run_stack(real_directory, broker=child, yields=False) as connection:
        await asyncio.to_thread(create_topics, broker.bootstrap_servers, TOPICS)
        yield connection
    discard(real_directory)


@pytest.mark.timeout(600)
async def test_a_broker_that_is_killed_with_the_courier_loses_and_doubles_nothing(
    real_stack: Connection, real_directory: Path
) -> None:
    is_over = asyncio.Event()
    brokers = real_stack.kafka_bootstrap_servers or ""
    async with (
        connect_sportsbook(
            real_stack.api_url,
            api_key=real_stack.api_key,
            approver_key=real_stack.approver_api_key,
        ) as sportsbook,
        run_services(real_stack.postgres_superuser_dsn, brokers) as services,
    ):
        lives = Lives(sportsbook, services)
        players = [asyncio.create_task(lives.play_until(is_over.is_set)) for _ in range(AT_ONCE)]
        await wait_for_more_lives(lives)
        broker_pid = kill_child(real_directory, "kafka")
        courier_pid = kill_child(real_directory, "courier")
        await wait_for_more_lives(lives)
        await wait_for_restart(real_directory, "kafka", broker_pid, within_s=RESTART_S)
        await wait_for_restart(real_directory, "courier", courier_pid, within_s=RESTART_S)
        await wait_for_more_lives(lives)
        is_over.set()
        await asyncio.gather(*players)
        ended = await lives.wait_until_ended()
        await wait_until_all_is_read(real_stack)
        verified = await sportsbook.wait_until_delivered(within_s=CONVERGED_WITHIN_S)

    assert ended == []
    assert verified.failures == {}
