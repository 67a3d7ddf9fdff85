"""A backup of a running system, restored elsewhere; Kafka is played again from an hour before."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest
from confluent_kafka import Message
from sqlalchemy import text

from db.engine import Database, ReadSession
from domain.privacy import Hasher
from messaging.kafka import KafkaCluster
from messaging.topics import INBOUND
from sandbox.sportsbook.client import SportsbookClient, connect_sportsbook
from sandbox.sportsbook.pairs import Pair, create_deposited_pair, create_invited_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import Event, ago, chargeback, deposit, unique_id, usd
from sandbox.sportsbook.topic_reader import read_since
from stack import Connection, run_stack
from stack.clean import discard
from stack.postgres import sqlalchemy_url
from tests.fixtures import dumps
from tests.journeys.backups.restoring import (
    Times,
    assert_chain_is_green,
    bring_secrets,
    restore,
    superuser_url,
)
from tests.journeys.personal.erasure import erase
from tests.journeys.stack_processes import use_free_ports
from tests.journeys.stream.bursts import wait_until_all_is_read
from tests.journeys.stream.event_topics import EventProducer
from tests.test_cli import referrals

CARD: Final = "payment_instrument"
REPLAYED_BEFORE: Final = timedelta(hours=1)
GONE: Final = {
    "email": "gone@mail.example",
    "phone": "+12025550142",
    "payment_instrument": "card-of-one-who-is-gone",
}
"""Values of a player who was paid before the backup, and erased after it."""
LATE: Final = {
    "email": "late@mail.example",
    "phone": "+12025550143",
    "payment_instrument": "card-of-one-who-came-late",
}
"""Values of a player of whom the backup knows nothing, erased as well."""


@dataclass(frozen=True, slots=True)
class Played:
    """Lives played before, during and after the backup, and the ledger at their end."""

    dump: str
    credited: Sequence[Pair]
    reversed: Pair
    spender: Pair
    spent: Mapping[str, object]
    erased: frozenset[str]
    transfers: frozenset[tuple[str, str, int]]
    records: Sequence[Message]


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "old"
    directory.mkdir()
    yield use_free_ports(directory)
    discard(directory)


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "new"
    directory.mkdir()
    yield use_free_ports(directory)
    discard(directory)


@pytest.mark.timeout(400)
async def test_a_backup_restored_elsewhere_and_an_hour_of_kafka_credit_nothing_twice(
    old: Path, new: Path
) -> None:
    times = Times()
    played = await play_and_lose(old, times)
    bring_secrets(old, new)
    await restore(played.dump, new, times)

    async with running(new) as (stack, sportsbook):
        with times.of("replay of Kafka"):
            await _replay(stack, played.records)
            await _wait_for_the_end(sportsbook, played)
            await wait_until_all_is_read(stack)
        spent = await sportsbook.call(
            "POST", f"/v1/players/{played.spender.referrer_id}/spend", played.spent
        )
        assert spent.status_code == 200
        assert (await referrals("rebuild", settings=stack.environment)).returncode == 0
        assert (await sportsbook.wait_until_delivered()).failures == {}
        assert await transfers_of(stack) == played.transfers

        erased = await referrals("erase", "--repeat", settings=stack.environment)
        assert (erased.returncode, erased.stdout) == (0, "erased: 2\n")
        await _wait_until_linked(stack)
        with times.of("verify"):
            assert (await sportsbook.verify(max_age_s=0)).failures == {}
        with times.of("verify --chain"):
            await assert_chain_is_green(sqlalchemy_url(stack.postgres_dsn))
        restored = await dumps.dump(superuser_url(stack.postgres_superuser_dsn))
        assert _found(restored, stack.settings().hasher) == []
        assert await _salts_of(stack, played.erased) == 0
    print(f"\n{len(played.records)} records played again; {times}")  # noqa: T201 - shown by -s


async def play_and_lose(directory: Path, times: Times) -> Played:
    """Play lives before, during and after a backup, and stop everything."""
    async with running(directory) as (stack, sportsbook):
        topics = EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
        kept, _ = await create_deposited_pair(sportsbook)
        reversed_, paid = await create_deposited_pair(sportsbook)
        spender, _ = await create_deposited_pair(sportsbook)
        gone, late, *meanwhile = [await create_invited_pair(sportsbook) for _ in range(8)]
        await topics.send(*_life_of(gone, GONE))
        await sportsbook.wait_for_stage(gone.referral_id, "REWARDED")

        with times.of("backup of the running system"):
            dump, _ = await asyncio.gather(
                dumps.dump(superuser_url(stack.postgres_superuser_dsn)),
                topics.send(*(event for pair in meanwhile[:3] for event in _life_of(pair))),
            )
        await topics.send(*(event for pair in meanwhile[3:] for event in _life_of(pair)))
        await topics.send(chargeback(paid), *_life_of(late, LATE))
        await topics.send(_deposit_of(gone, GONE))
        spent = {"amount": usd(400), "reference": unique_id("spend")}
        path = f"/v1/players/{spender.referrer_id}/spend"
        (await sportsbook.call("POST", path, spent)).raise_for_status()
        credited = [kept, gone, late, *meanwhile]
        for pair in credited:
            await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
        await sportsbook.wait_for_stage(reversed_.referral_id, "REVERSED")
        erased = frozenset({gone.referee_id, late.referee_id})
        for player_id in erased:
            await erase(stack, player_id)
        since = ago(seconds=REPLAYED_BEFORE.total_seconds())
        return Played(
            dump,
            credited,
            reversed_,
            spender,
            spent,
            erased,
            await transfers_of(stack),
            await asyncio.to_thread(
                read_since, stack.kafka_bootstrap_servers, INBOUND, since=since
            ),
        )


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[Connection, SportsbookClient]]:
    async with (
        run_stack(directory, yields=False) as stack,
        connect_sportsbook(
            stack.api_url, api_key=stack.api_key, approver_key=stack.approver_api_key
        ) as sportsbook,
    ):
        yield stack, sportsbook


async def transfers_of(stack: Connection) -> frozenset[tuple[str, str, int]]:
    """Return all transfers by id, movement and amount in minor units."""
    async with _reading(stack) as session:
        query = text("select cast(id as text), movement, amount_minor from transfers")
        rows = await session.execute(query)
        return frozenset((row.id, row.movement, row.amount_minor) for row in rows)


def _life_of(pair: Pair, traits: Mapping[str, str] = MappingProxyType({})) -> tuple[Event, Event]:
    known = {name: value for name, value in traits.items() if name != CARD}
    return Event("signups", {**pair.signup().body, **known}), _deposit_of(pair, traits)


def _deposit_of(pair: Pair, traits: Mapping[str, str]) -> Event:
    card = {CARD: traits[CARD]} if traits else {}
    return Event("deposits", {**deposit(pair.referee_id).body, **card})


async def _replay(stack: Connection, records: Sequence[Message]) -> None:
    """Write records to the topics that they came from, as a mirror of the brokers does."""
    producer = EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
    await producer.send_again(records)


async def _wait_for_the_end(sportsbook: SportsbookClient, played: Played) -> None:
    for pair in played.credited:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
        assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    await sportsbook.wait_for_stage(played.reversed.referral_id, "REVERSED")
    assert (await sportsbook.balance(played.reversed.referrer_id)).minor("available") == 0


async def _wait_until_linked(stack: Connection) -> None:
    async def count() -> int:
        async with _reading(stack) as session:
            return int(await session.scalar(text("select count(*) from unlinked_rows")) or 0)

    await wait_until(count, lambda rows: rows == 0, what="all rows are linked")


async def _salts_of(stack: Connection, players: frozenset[str]) -> int:
    async with _reading(stack) as session:
        query = text("select count(*) from subject_salts where subject = any(:players)")
        return int(await session.scalar(query, {"players": list(players)}) or 0)


@asynccontextmanager
async def _reading(stack: Connection) -> AsyncIterator[ReadSession]:
    url = sqlalchemy_url(stack.postgres_dsn)
    async with Database.open(url) as database, database.reading() as session:
        yield session


def _found(dump: str, hasher: Hasher) -> list[str]:
    """Return the values of erased players that a dump has, in clear or hashed."""
    values = [*GONE.items(), *LATE.items()]
    return [value for name, value in values if value in dump or hasher.hash(name, value) in dump]
