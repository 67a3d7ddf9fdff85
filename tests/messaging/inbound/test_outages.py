"""Faults of ours: the consumer waits, keeps its partitions, and goes on where it was."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from db.engine import Database
from messaging import topics
from messaging.dead_letters.producer import DeadLetter, DeadLetterProducer
from messaging.records import Place
from sandbox.sportsbook.polling import wait_until
from tests.api.bodies import deposit, unique
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.inbound.faults import refusing_facts
from tests.messaging.inbound.reading import header, stored
from tests.messaging.stream import (
    ALL_PARTITIONS,
    Sender,
    Stream,
    consuming,
    create_topics,
    wait_until_assigned,
    wait_until_shared,
)


async def send_deposits(stream: Stream, count: int) -> None:
    sender = Sender(stream)
    for _ in range(count):
        sender.send(deposit())
    await sender.flush()


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53300", "25006", "42P01", "P0001"])
async def test_waits_while_postgres_takes_no_facts_and_goes_on(
    fresh_database: Database, fresh_superuser: Database, stream: Stream, sqlstate: str
) -> None:
    async with consuming(fresh_database, stream):
        async with refusing_facts(fresh_superuser, sqlstate=sqlstate) as refusing:
            await send_deposits(stream, 50)
            await refusing.wait_for_refusals(3)
            assert await stream.lag() == 50
        await stream.wait_until_caught_up()
    assert await stored(fresh_database, stream) == 50
    assert stream.dead_letters() == []


async def test_one_fact_that_postgres_refuses_is_a_dead_letter_and_spoils_no_other(
    fresh_database: Database, fresh_superuser: Database, stream: Stream
) -> None:
    sender, bad = Sender(stream), deposit()
    for body in (*(deposit() for _ in range(40)), bad, *(deposit() for _ in range(40))):
        sender.send(body)
    await sender.flush()
    condition = f"new.event_id = '{bad['event_id']}'"
    async with (
        refusing_facts(fresh_superuser, condition=condition, sqlstate="22021"),
        consuming(fresh_database, stream),
    ):
        with capture_logs() as logged:
            await stream.wait_until_caught_up()
    assert await stored(fresh_database, stream) == 80
    (letter,) = stream.dead_letters()
    assert header(letter, "reason") == "refused_by_database"
    (refused,) = [line for line in logged if line["event"] == "record_refused_by_database"]
    assert refused["place"].startswith(stream.topic())
    assert refused["error"].startswith("DBAPIError: ")


async def test_a_fault_of_ours_is_logged_beside_the_outage_for_which_records_are_held(
    fresh_database: Database, fresh_superuser: Database, stream: Stream
) -> None:
    with capture_logs() as logged:
        async with consuming(fresh_database, stream):
            async with refusing_facts(fresh_superuser, sqlstate="40001") as refusing:
                await send_deposits(stream, 5)
                await refusing.wait_for_refusals(3)
                await refusing.change_to(sqlstate="42P01")
                await refusing.wait_for_refusals(3)
            await stream.wait_until_caught_up()

    waits = [line["error"] for line in logged if line["event"] == "kafka_consumer_waits"]
    assert len(waits) == 2
    assert waits[0] == "DBAPIError: Error"
    assert waits[1] == "ProgrammingError: ProgrammingError"


async def test_waits_while_postgres_is_away_and_goes_on(
    fresh_database: Database,
    fresh_superuser: Database,
    any_stream: Stream,
    fresh_urls: DatabaseUrls,
) -> None:
    sender = Sender(any_stream)
    async with consuming(fresh_database, any_stream):
        async with postgres_away(fresh_superuser, fresh_urls.name):
            await send_deposits(any_stream, 100)
            sender.send(b"{")
            await sender.flush()
        await send_deposits(any_stream, 100)
        await any_stream.wait_until_caught_up()
    assert await stored(fresh_database, any_stream) == 200
    assert len(any_stream.dead_letters()) == 1


@asynccontextmanager
async def postgres_away(superuser: Database, name: str) -> AsyncIterator[None]:
    """End the connections of all others to a database, and let none be made."""
    async with superuser.transaction() as session:
        await session.execute(text(f"alter database {name} connection limit 0"))
    async with superuser.transaction() as session:
        await session.execute(
            text("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
            """)
        )
    yield
    async with superuser.transaction() as session:
        await session.execute(text(f"alter database {name} connection limit -1"))


@dataclass(slots=True)
class Unreliable:
    """Dead letters that are not acknowledged until `works` is set."""

    letters: DeadLetterProducer
    works: bool = False
    attempts: int = 0

    async def send(self, letters: Sequence[DeadLetter]) -> frozenset[Place]:
        if not letters:
            return frozenset()
        self.attempts += 1
        return await self.letters.send(letters) if self.works else frozenset()


async def test_commits_nothing_behind_a_dead_letter_that_was_not_acknowledged(
    database: Database, stream: Stream
) -> None:
    unreliable = Unreliable(DeadLetterProducer(stream.cluster.producer_properties()))
    sender = Sender(stream)
    for body in (deposit(), deposit()):
        sender.send(body, key=body["player_id"])
    await sender.flush()
    sender.send(b"{", key="k")
    await sender.flush()
    await send_deposits(stream, 30)
    records = stream.read(stream.topic())
    (bad,) = (record.place for record in records if record.value == b"{")
    behind = [
        place
        for place in (record.place for record in records)
        if place.partition == bad.partition and place.offset >= bad.offset
    ]

    async with consuming(database, stream, letters=unreliable):

        async def attempts() -> int:
            return unreliable.attempts

        await wait_until(attempts, lambda seen: seen >= 3, what="attempts", within_s=30)
        await wait_until(
            lambda: stored(database, stream),
            lambda count: count >= len(records) - len(behind),
            what="the facts that are not behind the letter",
        )
        assert await stream.lag() > 0
        unreliable.works = True
        await stream.wait_until_caught_up()
    assert len(stream.dead_letters()) == 1
    assert await stored(database, stream) == 32


async def test_partitions_that_come_back_after_an_outage_are_read_from_where_they_were_committed(
    fresh_database: Database, fresh_superuser: Database, any_stream: Stream
) -> None:
    async with consuming(fresh_database, any_stream) as first:
        async with refusing_facts(fresh_superuser) as refusing:
            await send_deposits(any_stream, 200)
            await refusing.wait_for_refusals(3)
            async with consuming(fresh_database, any_stream) as second:
                await wait_until_shared(first, second)
                await refusing.wait_for_refusals(6)
            await wait_until_assigned(first, ALL_PARTITIONS)
            await refusing.wait_for_refusals(6)
        await any_stream.wait_until_caught_up()
        assert await stored(fresh_database, any_stream) == 200
        await send_deposits(any_stream, 50)
        await any_stream.wait_until_caught_up()
    assert await stored(fresh_database, any_stream) == 250


async def test_an_outage_longer_than_the_poll_interval_loses_no_partition(
    fresh_database: Database, fresh_superuser: Database, any_stream: Stream
) -> None:
    impatient = replace(any_stream, properties={"max.poll.interval.ms": str(any_stream.session_ms)})
    async with consuming(fresh_database, impatient):
        with capture_logs() as logged:
            async with refusing_facts(fresh_superuser) as refusing:
                await send_deposits(any_stream, 50)
                ends_s = time.monotonic() + 2 * any_stream.session_ms / 1000
                while time.monotonic() < ends_s:
                    await refusing.wait_for_refusals(1)
            await any_stream.wait_until_caught_up()
        assert not [line for line in logged if line["event"] == "partitions_revoked"]
    assert await stored(fresh_database, any_stream) == 50


async def test_a_letter_that_its_topic_does_not_take_is_kept_without_its_value(
    database: Database, stream: Stream
) -> None:
    sender = Sender(stream, {"message.max.bytes": "200000"})
    sender.send(b"[" * 100_000, key="k", headers={"trace": "1"})
    await sender.flush()
    letters = DeadLetterProducer(stream.cluster.producer_properties(), max_letter_bytes=50_000)
    async with consuming(database, stream, letters=letters):
        await stream.wait_until_caught_up()
    (letter,) = stream.dead_letters()
    assert (letter.key, letter.value) == (b"k", None)
    assert header(letter, "reason") == "too_large"
    assert header(letter, "trace") == "1"
    assert header(letter, "value_left_out")


async def test_a_topic_that_is_made_later_holds_up_no_other_and_is_read(
    database: Database, stream: Stream
) -> None:
    hasty = replace(
        stream,
        prefix=unique("later"),
        properties={"topic.metadata.refresh.interval.ms": "500"},
    )
    there, late = hasty.topic(topics.DEPOSITS), hasty.topic(topics.WAGERS)
    others = [hasty.topic(like) for like in topics.INBOUND if hasty.topic(like) != late]
    await create_topics(hasty.cluster, others)
    async with consuming(database, hasty) as consumer:
        await send_deposits(hasty, 10)
        await wait_until(lambda: stored(database, hasty), lambda count: count == 10, what=there)
        await create_topics(hasty.cluster, [late])
        await wait_until_assigned(consumer, ALL_PARTITIONS)
