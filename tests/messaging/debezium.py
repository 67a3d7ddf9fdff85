"""Debezium's connector of the outbox, as deploy/connect configures it, for one database."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import text

from db.engine import Database
from stack.kafka_jvm import DEPLOY, ConnectWorker

CONFIGURATION: Final = DEPLOY / "connect" / "outbox.json"
SETUP: Final = DEPLOY / "connect" / "setup.sql"
WITHIN_S: Final = 120.0
_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector, its slot in a test's database, and what an operator does with both.

    `database` is opened by a superuser, who may read and drop replication slots.
    """

    worker: ConnectWorker
    database: Database
    name: str
    configuration: Path = CONFIGURATION
    address: Mapping[str, str] = field(default_factory=dict)
    """Properties of the database, where the worker's environment does not have them."""

    @property
    def slot(self) -> str:
        return f"outbox_{self.name}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        try:
            await self.create()
            yield
        finally:
            await self.delete()

    async def create(self) -> None:
        given = json.loads(self.configuration.read_text()) | dict(self.address)
        own = {
            "database.dbname": self.name,
            "slot.name": self.slot,
            "topic.prefix": self.name,
        }
        await self._call("PUT", "/config", given | own)
        await self.wait_until(self.is_streaming)

    async def restart(self) -> None:
        await self._call("POST", "/restart?includeTasks=true&onlyFailed=false")

    async def stop(self) -> None:
        await self._call("PUT", "/stop")
        await self.wait_until(self._is_free)

    async def resume(self) -> None:
        await self._call("PUT", "/resume")

    async def delete(self) -> None:
        await self._call("DELETE", "")
        await self.wait_until(self._is_free)
        await self.drop_slot()

    async def drop_slot(self) -> None:
        """Drop the slot, as an operator does who must not let WAL fill the disk."""
        drop = text("""
            select pg_drop_replication_slot(slot_name) from pg_replication_slots
             where slot_name = :slot
        """)
        async with self.database.transaction() as session:
            await session.execute(drop, {"slot": self.slot})

    async def write_elsewhere(self) -> str:
        """Write to a table that is not published; return the position of the WAL behind it."""
        async with self.database.transaction() as session:
            await session.execute(text("create table busy as select generate_series(1, 10000)"))
        async with self.database.reading() as session:
            return str(await session.scalar(text("select cast(pg_current_wal_lsn() as text)")))

    async def has_confirmed(self, position: str) -> bool:
        """Return whether Postgres may let go of the WAL before a position."""
        return await self._holds(
            "select confirmed_flush_lsn >= cast(cast(:position as text) as pg_lsn)"
            " from pg_replication_slots where slot_name = :slot",
            position=position,
        )

    async def is_streaming(self) -> bool:
        return await self._holds("select active from pg_replication_slots where slot_name = :slot")

    async def _is_free(self) -> bool:
        return not await self.is_streaming()

    async def status(self) -> dict[str, Any]:
        async with self._client() as client:
            status: dict[str, Any] = (await client.get("/status")).json()
            return status

    async def wait_until(self, holds: Any) -> None:  # noqa: ANN401 - a coroutine function
        deadline = time.monotonic() + WITHIN_S
        while not await holds():
            assert time.monotonic() < deadline, await self.status()
            await asyncio.sleep(_POLL_S)

    async def _call(self, method: str, path: str, body: object = None) -> None:
        async with self._client() as client:
            answer = await client.request(method, path, json=body)
            assert answer.is_success, answer.text

    def _client(self) -> httpx.AsyncClient:
        address = f"{self.worker.url}/connectors/{self.name}"
        return httpx.AsyncClient(base_url=address, timeout=30, trust_env=False)

    async def _holds(self, query: str, **values: str) -> bool:
        async with self.database.reading() as session:
            return bool(await session.scalar(text(query), {"slot": self.slot, **values}))


async def set_up(database: Database) -> None:
    """Set a database up as deploy/connect says; it is opened by a superuser."""
    statements = [part.strip() for part in SETUP.read_text().split(";")]
    async with database.transaction() as session:
        for statement in statements:
            sql = "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
            # The role is the run's, not this database's.
            if sql and not sql.lstrip().startswith("CREATE ROLE"):
                await session.execute(text(sql))
