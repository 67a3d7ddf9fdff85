"""Lag of a consumer group, and the number of dead letters, as the brokers tell them."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # one is not in its __all__
    AdminClient,
    OffsetSpec,
)

from messaging.inbound.subscription import Partition
from messaging.kafka import KafkaCluster

TIMEOUT_S: Final = 5.0
"""Shorter than the courier's stop, which waits for the thread that asks."""

_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Offsets = Mapping[Partition, int]


class OffsetReader:
    """Reads offsets of topics and groups from the brokers; raises KafkaException without them."""

    def __init__(self, cluster: KafkaCluster, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._admin = AdminClient(
            {**cluster.properties, "bootstrap.servers": cluster.bootstrap_servers},
            logger=logging.getLogger("librdkafka"),
        )

    async def lag(self, group: str, topics: Collection[str]) -> Offsets:
        """Return the records of each partition that a group has not committed yet."""
        partitions = await self._partitions(topics)
        ends = await self._offsets(partitions, _LATEST)
        committed = await self._committed(group, partitions)
        unread = [partition for partition in partitions if partition not in committed]
        starts = await self._offsets(unread, _EARLIEST)
        return {
            partition: max(0, end - committed.get(partition, starts.get(partition, 0)))
            for partition, end in ends.items()
        }

    async def sizes(self, topics: Collection[str]) -> Mapping[str, int]:
        """Return how many records each topic keeps."""
        partitions = await self._partitions(topics)
        starts = await self._offsets(partitions, _EARLIEST)
        ends = await self._offsets(partitions, _LATEST)
        sizes = dict.fromkeys(topics, 0)
        for partition, end in ends.items():
            sizes[partition.topic] += end - starts[partition]
        return sizes

    async def _partitions(self, topics: Collection[str]) -> list[Partition]:
        self._admin.poll(0)  # It hands on what librdkafka logged.
        # Asking for a topic by its name would create it where the brokers allow that.
        known = (await asyncio.to_thread(self._admin.list_topics, timeout=self._timeout_s)).topics
        return [
            Partition(topic, number)
            for topic in topics
            if topic in known
            for number in known[topic].partitions
        ]

    async def _offsets(self, partitions: Collection[Partition], spec: OffsetSpec) -> Offsets:
        if not partitions:
            return {}
        asked = {TopicPartition(*partition): spec for partition in partitions}
        answers = self._admin.list_offsets(asked, request_timeout=self._timeout_s)
        return {
            Partition(position.topic, position.partition): (
                await asyncio.wrap_future(answer)
            ).offset
            for position, answer in answers.items()
        }

    async def _committed(self, group: str, partitions: Collection[Partition]) -> Offsets:
        positions = [TopicPartition(*partition) for partition in partitions]
        asked = [ConsumerGroupTopicPartitions(group, positions)]
        answers = self._admin.list_consumer_group_offsets(asked, request_timeout=self._timeout_s)
        found = await asyncio.wrap_future(answers[group])
        return {
            Partition(position.topic, position.partition): position.offset
            for position in found.topic_partitions
            if position.offset >= 0
        }
