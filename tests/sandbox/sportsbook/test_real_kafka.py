"""The payments service's outbox on Apache Kafka: through Debezium, and through a broker's crash."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

import sandbox.sportsbook.services
from db.engine import Database
from messaging.inbound.consumer import InboundConsumer
from messaging.inbound.decoding import Decoder
from messaging.kafka import KafkaCluster
from messaging.topics import CHARGEBACKS, DEPOSITS, dead_letters_of
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import unique_id
from sandbox.sportsbook.services import payments
from sandbox.sportsbook.services.payments import PaymentsService
from sandbox.sportsbook.services.running import run_relays
from sandbox.sportsbook.topic_reader import count_messages
from stack import ports
from stack.child import ChildProcess
from stack.kafka import TOPICS
from stack.kafka_jvm import Broker, ConnectWorker, create_topics
from stack.postgres import PostgresCluster
from tests.fixtures.databases import open_database, urls
from tests.fixtures.real_kafka import START_WITHIN_S
from tests.messaging.debezium import Connector
from tests.messaging.records import Record, TopicReader
from tests.messaging.stream import HASHER

pytestmark = pytest.mark.timeout(600)

CONFIGURATION: Final = Path(sandbox.sportsbook.services.__path__[0]) / "payments_outbox.json"
PLAYERS: Final = 60
CONVERGED_S: Final = 180.0


@pytest.fixture
async def connector(
    postgres: PostgresCluster, real_connect: ConnectWorker, payments_dsn: str
) -> AsyncIterator[Connector]:
    address = {
        "database.hostname": "127.0.0.1",
        "database.port": str(postgres.port),
        "database.password": payments_dsn.split("@", maxsplit=1)[0].rpartition(":")[2],
    }
    async with open_database(urls(postgres, payments.DATABASE).superuser) as database:
        yield Connector(real_connect, database, payments.DATABASE, CONFIGURATION, address)


async def test_debezium_publishes_what_the_relay_publishes(
    payments_service: PaymentsService,
    payments_dsn: str,
    connector: Connector,
    real_kafka: KafkaCluster,
) -> None:
    player_id = unique_id("player")
    reader = TopicReader(real_kafka, DEPOSITS, CHARGEBACKS)

    def of_player(records: Sequence[Record]) -> list[Record]:
        found = (record for record in records if record.key == player_id.encode())
        return sorted(found, key=lambda record: record.topic)

    async with connector.running():
        await payments_service.charge_back(await payments_service.deposit(player_id))
        by_debezium = of_player(await reader.read_until(lambda read: len(of_player(read)) == 2))
    reader.records.clear()
    async with run_relays([payments_dsn], real_kafka.bootstrap_servers):
        by_relay = of_player(await reader.read_until(lambda read: len(of_player(read)) == 2))
    reader.close()

    assert by_relay == by_debezium


async def test_a_broker_that_is_killed_in_a_burst_loses_and_doubles_nothing(
    kafka_jars: Path,
    tmp_path: Path,
    payments_service: PaymentsService,
    payments_dsn: str,
    fresh_database: Database,
) -> None:
    port, controller_port = await asyncio.to_thread(lambda: (ports.find_free(), ports.find_free()))
    broker = Broker(directory=tmp_path, port=port, controller_port=controller_port)
    await asyncio.to_thread(broker.format, kafka_jars)
    process = ChildProcess(broker.child(kafka_jars), logs=tmp_path)
    await process.wait_until_ready(START_WITHIN_S)
    await asyncio.to_thread(create_topics, broker.bootstrap_servers, TOPICS)
    players = [unique_id("burst") for _ in range(PLAYERS)]
    consumer = InboundConsumer(
        fresh_database,
        KafkaCluster(bootstrap_servers=broker.bootstrap_servers),
        group="burst",
        decoder=Decoder(HASHER),
    )
    consuming = asyncio.create_task(consumer.run())
    async with run_relays([payments_dsn], broker.bootstrap_servers):
        await _pay(payments_service, players[: PLAYERS // 2])
        await wait_until_recorded(fresh_database, players, at_least=1)
        process.kill()
        await process.wait_until_exited()
        await _pay(payments_service, players[PLAYERS // 2 :])
        process = ChildProcess(broker.child(kafka_jars), logs=tmp_path)
        await process.wait_until_ready(START_WITHIN_S)
        await wait_until_recorded(fresh_database, players, at_least=2 * PLAYERS)
    letters = await asyncio.to_thread(
        count_messages, broker.bootstrap_servers, [dead_letters_of(DEPOSITS)]
    )
    consumer.stop()
    await consuming
    await process.stop()

    assert await recorded(fresh_database, players) == 2 * PLAYERS
    assert letters == 0


async def _pay(payments_service: PaymentsService, players: Sequence[str]) -> None:
    for player_id in players:
        await payments_service.charge_back(await payments_service.deposit(player_id))


async def wait_until_recorded(database: Database, players: Sequence[str], *, at_least: int) -> None:
    await wait_until(
        lambda: recorded(database, players),
        lambda count: count >= at_least,
        what=f"{at_least} facts",
        within_s=CONVERGED_S,
    )


async def recorded(database: Database, players: Sequence[str]) -> int:
    query = text("select count(*) from facts where player_id = any(:players)")
    async with database.reading() as session:
        return int(await session.scalar(query, {"players": list(players)}) or 0)
