"""A consumer that is killed in a burst: its successor reads on, and nothing is paid twice."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from messaging.kafka import KafkaCluster
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import deposit
from stack import Connection
from tests.journeys.stack_processes import kill_child, wait_for_restart
from tests.journeys.stream.event_topics import EventProducer

PAIRS: Final = 24
KILLS: Final = 2
CONVERGED_S: Final = 120.0


async def send_lives(
    topics: EventProducer, pairs: list[Pair], goes_on: list[asyncio.Event]
) -> None:
    """Send each event twice, and tell at what share of the pairs the burst is."""
    for number, pair in enumerate(pairs):
        arrival, paid = pair.signup(), deposit(pair.referee_id)
        await topics.send(arrival, paid, arrival, paid)
        goes_on[number * len(goes_on) // len(pairs)].set()


@pytest.mark.timeout(600)
async def test_loses_and_doubles_nothing_when_the_consumer_is_killed_in_a_burst(
    stack: Connection, sportsbook: SportsbookClient, directory: Path
) -> None:
    topics = EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
    pairs = [await create_invited_pair(sportsbook) for _ in range(PAIRS)]
    parts = [asyncio.Event() for _ in range(KILLS)]
    sending = asyncio.create_task(send_lives(topics, pairs, parts))
    for part in parts:
        await part.wait()
        killed = kill_child(directory, "courier")
        await wait_for_restart(directory, "courier", killed, within_s=CONVERGED_S)
    await sending

    for pair in pairs:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=CONVERGED_S)
        assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
        assert len(await sportsbook.facts(pair.referral_id)) == 2
    assert (await sportsbook.verify()).ok
