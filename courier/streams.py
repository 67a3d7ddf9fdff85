"""Loops of the courier that need Kafka; there are none without its address."""

from prometheus_client import CollectorRegistry

from courier.work_loop import Loop
from db.engine import Database
from messaging.inbound.consumer import InboundConsumer
from messaging.inbound.decoding import Decoder
from messaging.inbound.metrics import InboundMetrics, LagReporter
from messaging.kafka import KafkaCluster
from referrals.intake.origins import Networks
from runtime.settings import Settings


def build_streams(
    settings: Settings, database: Database, registry: CollectorRegistry, networks: Networks
) -> tuple[Loop, ...]:
    cluster = KafkaCluster.of(settings)
    if cluster is None:
        return ()
    metrics, group = InboundMetrics(registry), settings.kafka_consumer_group
    decoder = Decoder.of(settings, networks)
    consumer = InboundConsumer(
        database, cluster, group=group, decoder=decoder, on_refused=metrics.count_dead_letter
    )
    reporter = LagReporter(
        cluster, metrics, database=database, group=group, topics=tuple(decoder.schemas)
    )
    return consumer, reporter
