"""Lag of a consumer group, and the number of dead letters, as the brokers tell them."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from messaging.inbound.subscription import Partition
from messaging.kafka import KafkaCluster

TIMEOUT_S: Final = 5.0
"""Bounds each question; shorter than the courier's stop, which waits for the thread that asks."""

Offsets = Mapping[Partition, int]


class OffsetReader:
    """Reads offsets of topics and of a group that it does not join.

    Raises KafkaException while the brokers do not answer.
    """

    def __init__(self, cluster: KafkaCluster, group: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._consumer = Consumer(
            cluster.consumer_properties(group=group), logger=logging.getLogger("librdkafka")
        )

    async def lag(self, topics: Collection[str]) -> Offsets:
        """Return the records of each partition that the group has not committed yet."""
        return await asyncio.to_thread(self._lag, topics)

    async def ends(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        """Return the first offset that each partition keeps, and the one behind the last."""
        return await asyncio.to_thread(self._ends_of, topic)

    def _lag(self, topics: Collection[str]) -> Offsets:
        partitions = self._partitions(topics)
        if not partitions:
            return {}
        positions = [TopicPartition(*partition) for partition in partitions]
        committed = {
            Partition(position.topic, position.partition): position.offset
            for position in self._consumer.committed(positions, timeout=self._timeout_s)
            if position.offset >= 0
        }
        lag = {}
        for partition in partitions:
            start, end = self._ends(partition)
            lag[partition] = max(0, end - committed.get(partition, start))
        return lag

    def _ends_of(self, topic: str) -> Mapping[Partition, tuple[int, int]]:
        return {each: self._ends(each) for each in self._partitions([topic])}

    def _partitions(self, topics: Collection[str]) -> list[Partition]:
        self._consumer.poll(0)  # It hands on what librdkafka logged.
        # Asking for a topic by its name would create it where the brokers allow that.
        known = self._consumer.list_topics(timeout=self._timeout_s).topics
        return [
            Partition(topic, number)
            for topic in topics
            if topic in known
            for number in known[topic].partitions
        ]

    def _ends(self, partition: Partition) -> tuple[int, int]:
        position = TopicPartition(*partition)
        start, end = self._consumer.get_watermark_offsets(position, timeout=self._timeout_s)
        return start, end
