"""Places where a value may have been written: dump, logs, metrics, topics, warehouse, histories."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from analytics.backfill import backfill
from analytics.warehouse import EmbeddedWarehouse
from db.engine import Database
from messaging.topics import OUTBOUND
from sandbox.sportsbook.requests import ago
from sandbox.sportsbook.topic_reader import read_since
from stack import Connection
from stack.postgres import sqlalchemy_url
from tests.fixtures import dumps
from tests.journeys.backups.restoring import superuser_url

SIGNALLED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


@dataclass(frozen=True, slots=True)
class Places:
    """Texts that a process wrote, by where it wrote them."""

    stack: Connection
    temporal: Client
    directory: Path
    warehouse: EmbeddedWarehouse

    async def find(self, pattern: str, workflow_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return what matches, by place; places without a match are left out."""
        found = {
            place: re.findall(f".{{0,60}}(?:{pattern}).{{0,20}}", written, re.IGNORECASE)
            for place, written in (await self.written(workflow_ids)).items()
        }
        return {place: matches for place, matches in found.items() if matches}

    async def written(self, workflow_ids: Sequence[str]) -> dict[str, str]:
        """Return what every process and store has written so far, by place."""
        texts = {
            "dump": await dumps.dump(superuser_url(self.stack.postgres_superuser_dsn)),
            **{log.name: log.read_text() for log in (self.directory / "logs").glob("*.log")},
            **{url: await self._metrics(url) for url in self._metrics_urls()},
            "topics": await asyncio.to_thread(self._published),
            "warehouse": await self._loaded(),
            **{id_: await self._history(id_) for id_ in workflow_ids},
        }
        assert all(texts.values()), [place for place, written in texts.items() if not written]
        return texts

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
