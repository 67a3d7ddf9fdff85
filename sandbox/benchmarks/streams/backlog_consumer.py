"""The courier's consumer alone in a process, on a topic of the benchmark."""

import asyncio
from typing import Final

import structlog
import uvloop

from db.engine import Database
from messaging.inbound.consumer import InboundConsumer
from messaging.inbound.decoding import Decoder
from messaging.kafka import KafkaCluster
from referrals.intake.events import DepositIn
from runtime.exit import exit_process, stop_event
from runtime.garbage import settle_garbage
from runtime.logs import configure_logging
from runtime.settings import Settings

TOPIC: Final = "bench.consumer"
GROUP: Final = "bench-consumer"


async def main() -> None:
    """Consume until SIGTERM, with the settings of the stack."""
    configure_logging("INFO")
    stop, settings = stop_event(), Settings()
    cluster = KafkaCluster.of(settings)
    if cluster is None:
        raise ValueError("the stack has no Kafka")
    hasher = settings.hasher
    decoder = Decoder(hasher, schemas={TOPIC: DepositIn})
    async with Database.open(settings.database_url) as database:
        consumer = InboundConsumer(database, cluster, group=GROUP, decoder=decoder)
        consuming = asyncio.create_task(consumer.run())
        settle_garbage()  # as the courier does
        structlog.get_logger().info("ready")
        await stop.wait()
        consumer.stop()
        await consuming


if __name__ == "__main__":
    uvloop.run(main())
    exit_process(0)
