"""The courier, which reads Kafka, killed in a burst of the sportsbook's services."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.lives import CONVERGED_WITHIN_S, Lives
from sandbox.sportsbook.services.relay import rewind
from sandbox.sportsbook.services.running import run_services
from stack import Connection
from tests.journeys.stack_processes import kill_child, wait_for_restart
from tests.journeys.stream.bursts import AT_ONCE, wait_for_more_lives, wait_until_all_is_read

CRASHES: Final = 2


@pytest.mark.timeout(300)
async def test_a_consumer_that_is_killed_loses_and_doubles_nothing(
    stack: Connection, sportsbook: SportsbookClient, directory: Path
) -> None:
    is_over = asyncio.Event()
    brokers = stack.kafka_bootstrap_servers or ""
    async with run_services(stack.postgres_superuser_dsn, brokers) as services:
        lives = Lives(sportsbook, services)
        players = [asyncio.create_task(lives.play_until(is_over.is_set)) for _ in range(AT_ONCE)]
        for _ in range(CRASHES):
            await wait_for_more_lives(lives)
            pid = kill_child(directory, "courier")
            await wait_for_restart(directory, "courier", pid)
        await wait_for_more_lives(lives)
        is_over.set()
        await asyncio.gather(*players)
        ended = await lives.wait_until_ended()

        for pool in services.pools:
            await rewind(pool)
        await services.wait_until_published()
        await wait_until_all_is_read(stack)
        after_a_second_reading = await lives.wait_until_ended()

    assert ended == []
    assert after_a_second_reading == []
    verified = await sportsbook.wait_until_delivered(within_s=CONVERGED_WITHIN_S)
    assert verified.failures == {}
