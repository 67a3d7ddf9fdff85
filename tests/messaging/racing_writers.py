"""Concurrent writers of the outbox, and what a consumer must see of them.

`OUTBOX_EVENTS=4000 pytest tests/messaging/test_relay_races.py` plays the full size.
"""

import asyncio
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text

from db import outbox
from db.engine import Database, Session
from tests.messaging.records import Record, TopicReader

WRITERS: Final = 16
WRITTEN: Final = int(os.environ.get("OUTBOX_EVENTS", "800"))
KEYS: Final = 40
"""Referrals that the writers share, so that they wait for each other's locks."""
LONGEST_S: Final = 0.05
SLOW_S: Final = 5.0 if WRITTEN >= 4000 else 1.5
"""Duration of the one transaction that is open long."""


@dataclass(slots=True)
class Written:
    """Ids of committed events by their key, in the order in which the key's lock was held."""

    by_key: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.by_key.values()))

    def add(self, key: str, event_id: UUID) -> None:
        self.by_key.setdefault(key, []).append(str(event_id))


async def expect_all_in_order(published: TopicReader, written: Written) -> None:
    records = await published.read_until(
        lambda records: len({record.event_id for record in records}) >= len(written)
    )
    assert _first_copies_by_key(records) == written.by_key


def _first_copies_by_key(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return what a consumer sees that drops copies by their id."""
    seen: set[str] = set()
    by_key: dict[str, list[str]] = {}
    for record in records:
        if record.event_id not in seen:
            seen.add(record.event_id)
            by_key.setdefault(record.key.decode(), []).append(record.event_id)
    return by_key


async def write_all(database: Database) -> Written:
    written = Written()
    keys = [f"referral-{n}-{uuid4()}" for n in range(KEYS)]
    per_writer = WRITTEN // WRITERS
    async with asyncio.TaskGroup() as writers:
        writers.create_task(_write(database, written, "slow", within_s=SLOW_S))
        for seed in range(WRITERS):
            writers.create_task(_write_many(database, written, keys, per_writer, seed))
    return written


async def _write_many(
    database: Database, written: Written, keys: Sequence[str], count: int, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for _ in range(count):
        await _write(database, written, chance.choice(keys), within_s=chance.uniform(0, LONGEST_S))


async def _write(database: Database, written: Written, key: str, *, within_s: float) -> None:
    """Write one event as an act does: take a transaction id, wait for the referral's lock, write.

    The transaction stays open for a while before and after the event.
    """
    event_id = uuid4()
    async with database.transaction() as session:
        await session.execute(text("select pg_current_xact_id()"))
        await asyncio.sleep(within_s / 2)
        await _lock(session, key)
        await outbox.write_event(
            session, event_id=event_id, type_="T", key=key, payload={"event_id": str(event_id)}
        )
        await asyncio.sleep(within_s / 2)
        # Nobody else can write about this key until the commit, which follows at once.
        written.add(key, event_id)


async def _lock(session: Session, key: str) -> None:
    lock = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await session.execute(lock, {"key": key})
