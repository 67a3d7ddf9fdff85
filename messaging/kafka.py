"""Configuration of Kafka clients: what a deployment sets, and what correctness demands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from runtime.kafka_settings import check_properties
from runtime.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaCluster:
    """Address of a cluster, and librdkafka's properties to reach it (TLS, SASL)."""

    bootstrap_servers: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Return the deployment's cluster, or None where it has none."""
        if settings.kafka_bootstrap_servers is None:
            return None
        return cls(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            properties={
                name: value.get_secret_value() for name, value in settings.kafka_properties.items()
            },
        )

    def __post_init__(self) -> None:
        check_properties(self.properties)

    def consumer_properties(self, *, group: str) -> dict[str, str | bool]:
        """Return properties of a consumer that commits only what it says itself."""
        return {
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            **self.properties,
            "bootstrap.servers": self.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
        }

    def producer_properties(self) -> dict[str, str | bool]:
        """Return properties of a producer that neither loses, doubles nor reorders records."""
        return {
            "compression.type": "lz4",
            "linger.ms": "5",
            # As clients on the JVM do, Debezium among them: a key has one partition for all.
            "partitioner": "murmur2_random",
            **self.properties,
            "bootstrap.servers": self.bootstrap_servers,
            "acks": "all",
            "enable.idempotence": True,
        }
