"""A sportsbook's own messaging: it reads the topic of messages for players."""

import asyncio
import json
from collections import defaultdict
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer

from messaging import topics
from messaging.kafka import KafkaCluster
from sandbox.sportsbook.polling import wait_until

READ_S = 0.5


class PlayerMessages:
    """Reads every message from the beginning, and keeps them by player."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._consumer = Consumer(
            cluster.consumer_properties(group=f"messages-{uuid4().hex}")
            | {"auto.offset.reset": "earliest"}
        )
        self._consumer.subscribe([topics.NOTIFICATIONS])
        self._read: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    async def to(self, player_id: str, *kinds: str, within_s: float = 30.0) -> list[dict[str, Any]]:
        """Wait for messages of these kinds and return all that a player has, in their order."""

        async def read() -> list[dict[str, Any]]:
            await asyncio.to_thread(self._read_more)
            return self._read[player_id]

        return await wait_until(
            read,
            lambda seen: {message["kind"] for message in seen} >= set(kinds),
            what=f"{', '.join(kinds)} for {player_id}",
            within_s=within_s,
        )

    def close(self) -> None:
        self._consumer.close()

    def _read_more(self) -> None:
        for record in self._consumer.consume(200, timeout=READ_S):
            if record.error() is None:
                key, value = record.key(), record.value()
                assert key is not None
                assert value is not None
                self._read[key.decode()].append(json.loads(value))
