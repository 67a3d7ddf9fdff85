"""Settings with which Kafka is reached."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from domain.intake.sources import SOURCE_PATTERN

FORCED_PROPERTIES: Final = frozenset(
    {"acks", "bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store",
     "enable.idempotence", "group.id", "isolation.level"}
)  # fmt: skip
"""Properties on which exactly-once effects rest; a deployment cannot set them."""
SHORTEST_SECRET: Final = 4
"""Characters of a value that a message of librdkafka must not quote."""
SourceName = Annotated[str, Field(pattern=f"^{SOURCE_PATTERN.pattern}$")]


class EventsPublisher(StrEnum):
    """Publishers of the outbox to Kafka."""

    RELAY = "relay"
    DEBEZIUM = "debezium"


class KafkaSettings(BaseSettings):
    """The cluster, its topics' sources, and who publishes to it."""

    kafka_bootstrap_servers: str | None = None
    """Addresses of the Kafka cluster; without them nothing is read from or written to Kafka."""
    kafka_properties: dict[str, SecretStr] = Field(default_factory=dict)
    """Properties of librdkafka to reach the cluster, as JSON: {"security.protocol": "SASL_SSL"}."""
    events_publisher: EventsPublisher = EventsPublisher.RELAY
    """Publisher of the outbox: the courier's relay, or Debezium; one at a time."""
    kafka_topic_sources: dict[str, SourceName] = Field(default_factory=dict)
    """Sources of topics' events, as JSON, where they are not the default one."""
    kafka_consumer_group: str = Field(default="referrals", min_length=1)

    @field_validator("kafka_properties")
    @classmethod
    def _validate_properties(cls, given: dict[str, SecretStr]) -> dict[str, SecretStr]:
        check_properties({name: value.get_secret_value() for name, value in given.items()})
        return given

    @field_validator("kafka_topic_sources")
    @classmethod
    def _validate_topics(cls, given: dict[str, str]) -> dict[str, str]:
        from messaging.topics import INBOUND  # noqa: PLC0415 - late: it needs the database's code

        if unknown := sorted(given.keys() - set(INBOUND)):
            raise ValueError(f"{', '.join(unknown)}: not a topic; those are {', '.join(INBOUND)}")
        return given


def check_properties(given: Mapping[str, str]) -> None:
    """Raise ValueError for properties that this service or librdkafka does not take."""
    if forced := sorted(FORCED_PROPERTIES & given.keys()):
        raise ValueError(f"{', '.join(forced)}: set by this service, leave it out")
    if not given:
        return
    # Late: most commands start without a client of Kafka.
    from confluent_kafka import KafkaException, Producer  # noqa: PLC0415

    try:
        Producer({**given, "log_level": 0})
    except KafkaException as fault:
        sentence = str(fault.args[0].str()).strip()
        for value in given.values():
            if len(value) >= SHORTEST_SECRET:
                sentence = sentence.replace(value, "…")
        raise ValueError(f"librdkafka refuses it: {sentence}") from None
