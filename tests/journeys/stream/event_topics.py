"""A service that reports its events over Kafka, keyed by player."""

import asyncio
import json
from collections.abc import Iterable
from typing import Final

from confluent_kafka import Message, Producer

from messaging import topics
from messaging.kafka import KafkaCluster
from sandbox.sportsbook.requests import Event

TOPICS: Final = {
    "signups": topics.SIGNUPS,
    "deposits": topics.DEPOSITS,
    "chargebacks": topics.CHARGEBACKS,
    "wagers": topics.WAGERS,
    "withdrawals": topics.WITHDRAWALS,
    "players": topics.STATUS_CHANGES,
}
"""Topic of each resource of /v1/events."""


class EventProducer:
    """Sends events, and waits until the broker has them."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._producer = Producer(cluster.producer_properties())

    async def send(self, *events: Event) -> None:
        for event in events:
            self._producer.produce(
                TOPICS[event.resource], value=json.dumps(dict(event.body)), key=event.player_id
            )
        assert await asyncio.to_thread(self._producer.flush, 30) == 0

    async def send_again(self, messages: Iterable[Message]) -> None:
        """Send what was read from the same topics of another cluster."""
        for message in messages:
            self._producer.produce(message.topic() or "", value=message.value(), key=message.key())
        assert await asyncio.to_thread(self._producer.flush, 30) == 0
