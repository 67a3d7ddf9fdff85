"""Dead letters in the hands of an operator: listed, shown, and replayed once."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from confluent_kafka import KafkaError, Message, Producer
from sqlalchemy import func, select

from db.engine import Database
from db.tables import AuditRow, FactRow
from messaging.dead_letters.reading import read_letters
from messaging.dead_letters.replaying import Replayer
from messaging.inbound.consumer import InboundConsumer
from messaging.inbound.decoding import Decoder
from messaging.kafka import KafkaCluster
from messaging.topics import DEPOSITS, WAGERS, dead_letters_of
from referrals.access.audit import Actor
from sandbox.sportsbook.polling import wait_until
from tests import ROOT
from tests.api.bodies import unique
from tests.fixtures.databases import DatabaseUrls
from tests.messaging.stream import HASHER

REASON: Final = "asked by ann@example.com, +1 201 555 0123"
LARGE: Final = {"notes": "x" * 70_000}


@dataclass(slots=True)
class Operator:
    """An operator at a shell, beside a consumer of the topics of production."""

    cluster: KafkaCluster
    database: Database
    url: str
    ids: list[str] = field(default_factory=list)
    """Places of what was reported; other tests' letters are on the same topics."""
    events: list[str] = field(default_factory=list)

    async def report(self, *bodies: dict[str, Any] | bytes, key: str | None = None) -> None:
        """Send records, remember their ids, and wait until none is undecided."""
        producer = Producer(self.cluster.producer_properties())

        def note(fault: KafkaError | None, message: Message) -> None:
            assert fault is None
            self.ids.append(f"{WAGERS}:{message.partition()}:{message.offset()}")

        for body in bodies:
            self.events += [] if isinstance(body, bytes) else [body["event_id"]]
            value = body if isinstance(body, bytes) else json.dumps(body).encode()
            producer.produce(WAGERS, value=value, key=key, on_delivery=note, partition=0)
        assert await asyncio.to_thread(producer.flush, 30) == 0

    async def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        ours = {
            name: text for name, text in os.environ.items() if not name.startswith("REFERRALS_")
        }
        given = {
            "database_url": self.url,
            "kafka_bootstrap_servers": self.cluster.bootstrap_servers,
            "temporal_address": "127.0.0.1:1",
            "hash_key": "a key for tests, not a secret",
            "token_key": "another key for tests",
            "public_url": "https://refer.example",
            **settings,
        }
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cli", "dlq", *arguments],
            cwd=ROOT,
            env=ours | {f"REFERRALS_{name.upper()}": text for name, text in given.items()},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    async def open_ids(self) -> list[str]:
        """Return those of the reported records that `list` shows."""
        ended = await self.run("list", "--topic", WAGERS)
        assert ended.returncode == 0, ended.stderr
        listed = [line.split()[0] for line in ended.stdout.splitlines()]
        return [each for each in self.ids if each in listed]

    async def facts(self) -> int:
        """Return how many of the reported events are stored."""
        query = select(func.count()).where(FactRow.event_id.in_(self.events))
        async with self.database.reading() as session:
            return int(await session.scalar(query) or 0)

    async def audited(self) -> list[AuditRow]:
        query = select(AuditRow).where(AuditRow.action.startswith("dead_letter"))
        async with self.database.reading() as session:
            return list(await session.scalars(query.order_by(AuditRow.id)))


@pytest.fixture
async def operator(
    kafka: KafkaCluster, fresh_database: Database, fresh_urls: DatabaseUrls
) -> AsyncIterator[Operator]:
    consumer = InboundConsumer(
        fresh_database, kafka, group=unique("group"), decoder=Decoder(HASHER)
    )
    running = asyncio.create_task(consumer.run())
    yield Operator(kafka, fresh_database, fresh_urls.application)
    consumer.stop()
    await running


def wager(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON values
    return {
        "event_id": unique("wager"),
        "occurred_at": "2026-03-01T12:00:00Z",
        "player_id": unique("player"),
        "stake": {"minor": 500, "currency": "USD"},
    } | changes


async def wait_for_letters(operator: Operator, count: int) -> None:
    await wait_until(operator.open_ids, lambda ids: len(ids) == count, what=f"{count} letters")


async def test_a_letter_is_replayed_once_after_a_fix(operator: Operator) -> None:
    await operator.report(wager(**LARGE))
    await wait_for_letters(operator, 1)
    (letter,) = operator.ids
    before = await operator.facts()

    tried = await operator.run("replay", letter, "--actor", "ann")
    assert (tried.returncode, tried.stdout) == (1, f"{letter}  refused: too_large\n")
    fix = {"body_limit_bytes": "100000"}
    rehearsed = await operator.run("replay", letter, "--dry-run", **fix)
    assert (rehearsed.returncode, rehearsed.stdout) == (0, f"{letter}  would be accepted\n")
    assert await operator.facts() == before

    done = await operator.run("replay", letter, "--actor", "ann", "--reason", REASON, **fix)
    assert (done.returncode, done.stdout) == (0, f"{letter}  accepted\n")
    again = await operator.run("replay", letter, **fix)
    assert (again.returncode, again.stdout) == (0, f"{letter}  was replayed before\n")

    assert await operator.facts() == before + 1
    assert await operator.open_ids() == []
    refused, replayed = await operator.audited()
    assert refused.action == "dead_letter.replay_refused"
    assert (replayed.actor, replayed.action, replayed.reason) == (
        "ann", "dead_letter.replay", "asked by [mail address], [phone number]",
    )  # fmt: skip
    assert replayed.subject.startswith(f"dead_letter:{letter}:")
    assert replayed.details == {"reason": "too_large", "outcome": "accepted"}


async def test_a_letter_that_two_people_replay_at_once_is_replayed_once(
    operator: Operator,
) -> None:
    await operator.report(wager(**LARGE))
    await wait_for_letters(operator, 1)
    letters = [each for each in read_letters(operator.cluster, [WAGERS]) if each.id in operator.ids]
    replayers = [
        Replayer(
            operator.database,
            Decoder(HASHER, max_value_bytes=100_000),
            Actor(name=name, request_id=None, reason="limit"),
        )
        for name in ("ann", "bob", "cid", "dee")
    ]

    outcomes = await asyncio.gather(*(each.replay(letters[0]) for each in replayers))

    assert sorted(map(str, outcomes)) == ["None", "None", "None", "accepted"]
    assert [row.action for row in await operator.audited()] == ["dead_letter.replay"]


async def test_all_takes_the_open_letters_of_a_topic_and_keeps_the_rest(
    operator: Operator,
) -> None:
    early = wager(occurred_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    await operator.report(wager(**LARGE), wager(**LARGE), b"{", early)
    await wait_for_letters(operator, 4)
    before = await operator.facts()
    for _ in range(2):
        ended = await operator.run("replay", "--topic", WAGERS, body_limit_bytes="100000")
        assert ended.returncode == 1
        assert await operator.facts() == before + 2
        assert await operator.open_ids() == operator.ids[2:]
    listed = await operator.run("list", "--replayed")
    states = {line.split()[0]: line.split()[1] for line in listed.stdout.splitlines()}
    assert [states[each] for each in operator.ids] == ["replayed", "replayed", "open", "open"]


async def test_a_letter_that_is_known_by_another_door_is_a_duplicate(operator: Operator) -> None:
    body = wager(**LARGE)
    await operator.report(body, {name: body[name] for name in body if name != "notes"})
    await wait_for_letters(operator, 1)
    ended = await operator.run("replay", operator.ids[0], body_limit_bytes="100000")
    assert (ended.returncode, ended.stdout) == (0, f"{operator.ids[0]}  duplicate\n")


async def test_shows_a_letter_without_steering_the_terminal(operator: Operator) -> None:
    await operator.report(b"\x1b[2J\xff\n", key="\x1b]0;title\x07")
    await wait_for_letters(operator, 1)
    ended = await operator.run("show", operator.ids[0])
    assert ended.returncode == 0, ended.stderr
    first, key, value = ended.stdout.splitlines()
    assert first.split()[0] == operator.ids[0]
    assert first.endswith("invalid_utf8")
    assert key == r"key: \x1b]0;title\x07"
    assert value == r"value: \x1b[2J\xff\n"


@pytest.mark.parametrize("topic", [DEPOSITS, "\x1b]0;owned\x07", f"{WAGERS}.dlq"], ids=repr)
async def test_a_letter_of_one_topic_cannot_be_passed_off_as_anothers(
    operator: Operator, topic: str
) -> None:
    player, event_id = unique("player"), unique("forged")
    amount = {"minor": 100_000, "currency": "USD"}
    body = {"event_id": event_id, "player_id": player, "deposit_id": event_id, "amount": amount}
    body |= {"occurred_at": datetime.now(UTC).isoformat()}
    named = {"reason": "invalid_field", "topic": topic, "partition": "0", "offset": "7"}
    producer = Producer(operator.cluster.producer_properties())
    producer.produce(
        dead_letters_of(WAGERS),
        value=json.dumps(body).encode(),
        headers=[(name, value.encode()) for name, value in named.items()],
    )
    assert await asyncio.to_thread(producer.flush, 30) == 0

    listed = await operator.run("list")
    assert "\x1b" not in listed.stdout
    assert f"{topic}:0:7" not in listed.stdout
    replayed = await operator.run("replay", "--all", "--dry-run")
    assert f"{topic}:0:7" not in replayed.stdout


async def test_a_letter_that_nobody_wrote_is_named(operator: Operator) -> None:
    for command in ("show", "replay"):
        ended = await operator.run(command, f"{WAGERS}:0:999999")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"{WAGERS}:0:999999" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["replay"], ["replay", "--all", "--topic", WAGERS], ["list", "--topic", "no such topic"]],
)
async def test_says_what_to_name(operator: Operator, arguments: list[str]) -> None:
    ended = await operator.run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr


async def test_exits_with_2_when_kafka_or_postgres_does_not_answer(operator: Operator) -> None:
    await operator.report(b"{")
    await wait_for_letters(operator, 1)
    away = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    no_database = await operator.run("list", database_url=away)
    assert no_database.returncode == 2
    assert "the database did not answer" in no_database.stderr
    no_kafka = await operator.run("list", kafka_bootstrap_servers="127.0.0.1:1")
    assert no_kafka.returncode == 2
    assert "Kafka did not answer" in no_kafka.stderr
