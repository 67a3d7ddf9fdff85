"""How far a consumer group is behind, and how many dead letters there are."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # one is not in its __all__
    AdminClient,
    OffsetSpec,
)

from messaging.inbound.subscription import Partition
from messaging.kafka import KafkaCluster

TIMEOUT_S: Final = 10.0

_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Offsets = Mapping[Partition, int]


class OffsetReader:
    """Reads offsets of topics and groups from the brokers; raises KafkaException without them."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._admin = AdminClient(
            {**cluster.properties, "bootstrap.servers": cluster.bootstrap_servers}
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
        # Asking for a topic by its name would create it where the brokers allow that.
        known = (await asyncio.to_thread(self._admin.list_topics, timeout=TIMEOUT_S)).topics
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
        answers = self._admin.list_offsets(asked, request_timeout=TIMEOUT_S)
        return {
            Partition(position.topic, position.partition): (
                await asyncio.wrap_future(answer)
            ).offset
            for position, answer in answers.items()
        }

    async def _committed(self, group: str, partitions: Collection[Partition]) -> Offsets:
        positions = [TopicPartition(*partition) for partition in partitions]
        asked = [ConsumerGroupTopicPartitions(group, positions)]
        answers = self._admin.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S)
        found = await asyncio.wrap_future(answers[group])
        return {
            Partition(position.topic, position.partition): position.offset
            for position in found.topic_partitions
            if position.offset >= 0
        }
