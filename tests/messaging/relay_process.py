"""A process that only relays: python -m tests.messaging.relay_process DATABASE_URL BOOTSTRAP."""

import asyncio
import sys

from courier.work_loop import WorkLoop
from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.relay import Relay
from runtime.logs import configure_logging


async def relay(database_url: str, bootstrap_servers: str) -> None:
    cluster = KafkaCluster(bootstrap_servers=bootstrap_servers)
    async with Database.open(database_url) as database:
        # A short lease: these processes are killed more often than any deployment's.
        await WorkLoop("publishing", Relay(database, cluster, lease_s=0.5).publish).run()


if __name__ == "__main__":
    configure_logging("INFO")
    asyncio.run(relay(*sys.argv[1:]))
