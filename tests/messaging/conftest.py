"""Fixtures of the stream's tests."""

import pytest

from messaging.kafka import KafkaCluster
from tests.messaging.stream import Stream, open_stream


@pytest.fixture
async def stream(kafka: KafkaCluster) -> Stream:
    return await open_stream(kafka)
