"""Fixtures of the stream's tests."""

from typing import Final

import pytest

from messaging.kafka import KafkaCluster
from tests.messaging.stream import Stream, open_stream

BROKERS: Final = {"mock": "kafka", "real": "real_kafka"}
"""Fixture of each kind of broker; the real one is skipped where it cannot be had."""


@pytest.fixture
async def stream(kafka: KafkaCluster) -> Stream:
    """Return topics of the test's own on the mock cluster."""
    return await open_stream(kafka)


@pytest.fixture(params=BROKERS)
def any_cluster(request: pytest.FixtureRequest) -> KafkaCluster:
    cluster: KafkaCluster = request.getfixturevalue(BROKERS[request.param])
    return cluster


@pytest.fixture
async def any_stream(any_cluster: KafkaCluster) -> Stream:
    """Return topics of the test's own, on the mock cluster and then on Apache Kafka."""
    return await open_stream(any_cluster)
