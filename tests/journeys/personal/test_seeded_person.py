"""One person's values in every field of every door: found nowhere, before and after the erasure."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from analytics.backfill import backfill
from analytics.warehouse import EmbeddedWarehouse
from db.engine import Database
from messaging.kafka import KafkaCluster
from messaging.topics import OUTBOUND
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.requests import ago, chargeback, unique_id
from sandbox.sportsbook.topic_reader import read_since
from stack import Connection
from stack.postgres import sqlalchemy_url
from tests.fixtures import dumps
from tests.journeys.backups.restoring import superuser_url
from tests.journeys.engineer import Engineer
from tests.journeys.personal.erasure import erase
from tests.journeys.stream.event_topics import EventProducer
from tests.referrals.personal.seeded_doors import PERSONAL, SeededPerson

SEEDS: Final = ("+44 7911 900177", "ludmila@quux.example", "Ludmila Quuxowska")
NEEDLES: Final = r"7911 ?900177|ludmila|quux"
HASHED: Final = (*PERSONAL, "code", "payment_instrument", "jurisdiction", "method", "cookie_token")
SIGNALLED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


@dataclass(frozen=True, slots=True)
class Places:
    """Texts that a process wrote, by where it wrote them."""

    stack: Connection
    temporal: Client
    directory: Path
    warehouse: EmbeddedWarehouse

    async def find(self, pattern: str, workflow_ids: list[str]) -> dict[str, list[str]]:
        """Return what matches, by place; places without a match are left out."""
        texts = {
            "dump": await dumps.dump(superuser_url(self.stack.postgres_superuser_dsn)),
            **{log.name: log.read_text() for log in (self.directory / "logs").glob("*.log")},
            **{url: await self._metrics(url) for url in self._metrics_urls()},
            "topics": await asyncio.to_thread(self._published),
            "warehouse": await self._loaded(),
            **{id_: await self._history(id_) for id_ in workflow_ids},
        }
        assert all(texts.values()), [place for place, written in texts.items() if not written]
        found = {
            place: re.findall(f".{{0,60}}(?:{pattern}).{{0,20}}", written, re.IGNORECASE)
            for place, written in texts.items()
        }
        return {place: matches for place, matches in found.items() if matches}

    def _metrics_urls(self) -> Iterator[str]:
        yield f"{self.stack.api_url}/metrics"
        yield self.stack.worker_metrics_url
        yield self.stack.courier_metrics_url
        yield self.stack.temporal_metrics_url

    async def _metrics(self, url: str) -> str:
        headers = {"Authorization": f"Bearer {self.stack.api_key}"}
        async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
            return (await client.get(url)).raise_for_status().text

    def _published(self) -> str:
        """Return what was published: dead letters keep records as others sent them."""
        messages = read_since(self.stack.kafka_bootstrap_servers, OUTBOUND, since=ago(hours=1))
        return "\n".join(f"{one.key()!r} {one.headers()} {one.value()!r}" for one in messages)

    async def _loaded(self) -> str:
        async with Database.open(sqlalchemy_url(self.stack.postgres_dsn)) as database:
            await backfill(database, self.warehouse)
        return json.dumps(self.warehouse.select("select * from events final", {}))

    async def _history(self, workflow_id: str) -> str:
        """Return a history's payloads in clear, without signals, which are as others sent them."""
        history = await self.temporal.get_workflow_handle(workflow_id).fetch_history()
        events = (event for event in history.events if event.event_type != SIGNALLED)
        return "\n".join(repr(event.SerializeToString()) for event in events)


@pytest.fixture
def places(
    stack: Connection, temporal: Client, directory: Path, tmp_path: Path
) -> Iterator[Places]:
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse")
    yield Places(stack, temporal, directory, warehouse)
    warehouse.close()


@pytest.mark.timeout(480)
async def test_a_seeded_person_is_found_nowhere_before_and_after_the_erasure(
    sportsbook: SportsbookClient, engineer: Engineer, places: Places
) -> None:
    persons = [await bring(seed, sportsbook, places.stack) for seed in SEEDS]
    workflows = [id_ for _, id_ in persons]
    for seed, (person, _) in zip(SEEDS, persons, strict=True):
        workflows.append(await signal(seed, person, sportsbook, engineer))
    for workflow_id in workflows:
        await engineer.wait_until_idle(workflow_id.removeprefix("referral:"))
    await sportsbook.wait_until_delivered()

    assert await places.find(NEEDLES, workflows) == {}

    for person, _ in persons:
        await erase(places.stack, person.player_id)
    assert await places.find(NEEDLES, workflows) == {}
    hasher = places.stack.settings().hasher
    hashes = {hasher.hash(field, seed) for field in HASHED for seed in SEEDS}
    strangers = await players_with(places.stack, "|".join(sorted(hashes)))
    for player_id in strangers:
        await erase(places.stack, player_id)
    dump = await dumps.dump(superuser_url(places.stack.postgres_superuser_dsn))
    # Visits that led to no player are nobody's: retention lets go of them.
    left = [row for row in rows_with(dump, hashes) if not row.startswith("public.touches: ")]
    assert left == []


async def bring(
    seed: str, sportsbook: SportsbookClient, stack: Connection
) -> tuple[SeededPerson, str]:
    """Bring a text through HTTP, Kafka and the open routes; return its player's workflow, too."""
    pair = await create_invited_pair(sportsbook)
    code = await sportsbook.code(pair.referrer_id)
    person = SeededPerson(seed, pair.referee_id, pair.invitation.referral_token, code)
    events = person.events()
    for event in events:
        await sportsbook.send(event)
    topics = EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
    await topics.send(*person.events(), chargeback(events[1]))
    assert [one.text async for one in person.knock(sportsbook.client) if one.is_server_error] == []
    return person, pair.invitation.workflow_id


async def signal(
    seed: str, person: SeededPerson, sportsbook: SportsbookClient, engineer: Engineer
) -> str:
    """Signal what is well-formed, misses a field or is no event, each full of a text."""
    pair = await create_invited_pair(sportsbook)
    await engineer.wait_until_started(pair.invitation.workflow_id)
    arrival: dict[str, Any] = {**person.events()[0].body, "player_id": pair.referee_id}
    arrival |= {"event_id": unique_id("signup"), "referral_token": pair.invitation.referral_token}
    without_id = {name: value for name, value in arrival.items() if name != "event_id"}
    for arguments in ([without_id], [{seed: seed}], [seed], [arrival, seed], [arrival]):
        await engineer.signal(pair.invitation.workflow_id, "sign_up", *arguments)
    for name in ("make_deposit", "charge_back", "decide", "supersede"):
        await engineer.signal(pair.invitation.workflow_id, name, {seed: seed, "event_id": seed})
    return pair.invitation.workflow_id


def rows_with(dump: str, values: set[str]) -> Iterator[str]:
    """Return the rows of a dump that have one of the values, each after its table."""
    table = ""
    for line in dump.splitlines():
        table = line if line.startswith("COPY ") else table
        if any(value in line for value in values):
            yield f"{table.split()[1]}: {line[:300]}"


async def players_with(stack: Connection, pattern: str) -> list[str]:
    """Return the players whose facts have a value that matches: strangers, and who signalled."""
    query = text("select distinct player_id from facts where cast(body as text) ~ :pattern")
    url = sqlalchemy_url(stack.postgres_dsn)
    async with Database.open(url) as database, database.reading() as session:
        return list(await session.scalars(query, {"pattern": pattern}))
