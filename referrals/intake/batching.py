"""Facts that are reported at the same time: written together, each answered after the commit."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from db.engine import Database
from db.faults import is_refused_value
from referrals.intake import facts
from referrals.intake.facts import Door, RecordOutcome, Report

MAX_BATCH: Final = 64
MAX_FLIGHTS: Final = 2
"""Statements at once: a slow one must not keep all others waiting."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report whose caller waits for the answer."""

    report: Report
    answer: asyncio.Future[RecordOutcome]


class FactBatches:
    """Writes a fact at once while few are being written, and those that come meanwhile together.

    The statement inserts them in the order of their keys. One that Postgres refuses is found by
    writing its batch again one by one, so that it fails alone.
    """

    def __init__(self, database: Database, *, door: Door) -> None:
        self._database = database
        self._door = door
        self._waiting: deque[Waiting] = deque()
        self._flights = 0
        self._tasks: set[asyncio.Task[None]] = set()
        """Kept from the garbage collector; one is in here a little longer than it flies."""

    async def record(self, report: Report) -> RecordOutcome:
        """Return the outcome of a report once it is committed; a fault is raised as it occurred.

        A caller that is cancelled gives up its answer, not the fact.
        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(report, loop.create_future())
        self._waiting.append(waiting)
        if self._flights < MAX_FLIGHTS:
            self._flights += 1
            task = loop.create_task(self._fly())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await waiting.answer

    async def _fly(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            await self._write(batch)
        # Without an await since nothing was waiting, so that whoever comes now starts a flight.
        self._flights -= 1

    async def _write(self, batch: list[Waiting]) -> None:
        try:
            async with self._database.autocommit() as session:
                reports = [waiting.report for waiting in batch]
                outcomes = await facts.record_facts(session, reports, door=self._door)
        except Exception as fault:  # noqa: BLE001 - whatever it is, its callers answer for it
            if len(batch) > 1 and is_refused_value(fault):
                for waiting in batch:
                    await self._write([waiting])
                return
            # A fault of ours, as while Postgres is away: trying again would keep callers waiting.
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(fault)
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(outcome)
