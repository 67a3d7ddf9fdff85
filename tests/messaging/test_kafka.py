from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer

from messaging.kafka import KafkaCluster
from messaging.topics import DEPOSITS
from runtime.kafka_settings import FORCED_PROPERTIES


@pytest.mark.parametrize("name", sorted(FORCED_PROPERTIES))
def test_a_deployment_cannot_weaken_what_correctness_demands(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        KafkaCluster(bootstrap_servers="127.0.0.1:9092", properties={name: "x"})


def test_properties_of_the_deployment_reach_every_client() -> None:
    cluster = KafkaCluster(bootstrap_servers="b:1", properties={"security.protocol": "SSL"})
    for properties in (cluster.consumer_properties(group="g"), cluster.producer_properties()):
        assert properties["security.protocol"] == "SSL"
        assert properties["bootstrap.servers"] == "b:1"


async def test_the_broker_keeps_the_order_of_each_key(kafka: KafkaCluster) -> None:
    producer = Producer(kafka.producer_properties())
    key = uuid4().hex
    for number in range(20):
        producer.produce(DEPOSITS, key=key, value=str(number))
    assert producer.flush(10) == 0

    consumer = Consumer(kafka.consumer_properties(group=uuid4().hex))
    consumer.subscribe([DEPOSITS])
    values: list[bytes | None] = []
    while len(values) < 20:
        message = consumer.poll(10)
        assert message is not None
        assert message.error() is None
        if message.key() == key.encode():
            values.append(message.value())
    consumer.close()
    assert values == [str(number).encode() for number in range(20)]
