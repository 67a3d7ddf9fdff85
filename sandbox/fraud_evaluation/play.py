"""The playing of a population: every group's acts in the order of simulated time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from stamina import retry_context

from db.engine import Database
from runtime.settings import Settings
from sandbox.evaluation.play import build_client
from sandbox.fraud_evaluation.groups import Act, Group
from sandbox.fraud_evaluation.sportsbook import Sportsbook, routed_at

CONCURRENCY: Final = 4
"""Groups that act at the same time in one process; each needs a database connection."""
ATTEMPTS: Final = 8
TRANSIENT: Final = (DBAPIError, RuntimeError, TimeoutError)
"""Faults of the database, and answers of the API that are not a success."""
LAST_WAKE_AFTER: Final = timedelta(days=15)
"""Time after a group's last act within which hold periods that end are played."""


async def play(groups: Sequence[Group], settings: Settings, *, key: str) -> None:
    """Play all groups; the first fault ends them all."""
    async with Database.open(settings.database_url, pool_size=CONCURRENCY) as database:
        client = build_client(settings, database, key=key, middleware=None)
        sportsbook = Sportsbook(settings, database, client)
        playing = [PlayedGroup(group, sportsbook) for group in groups]
        due = [(each.next_at, number) for number, each in enumerate(playing)]
        heapify(due)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONCURRENCY):
                tasks.create_task(_advance(playing, due))


async def _advance(playing: Sequence["PlayedGroup"], due: list[tuple[datetime, int]]) -> None:
    while due:
        _, number = heappop(due)
        group = playing[number]
        await group.play_next()
        if not group.is_over:
            heappush(due, (group.next_at, number))


class PlayedGroup:
    """A group in the course of its acts, one at a time, with the referrals that wait for a time."""

    def __init__(self, group: Group, sportsbook: Sportsbook) -> None:
        self._group = group
        self._sportsbook = sportsbook
        self._ends_at = group.acts[-1].at + LAST_WAKE_AFTER
        self._waiting: dict[UUID, datetime] = {}
        self._numbers = count(len(group.acts))
        # The number decides between two at the same time; what follows it is never compared.
        self._due: list[tuple[datetime, int, Act | UUID]] = [
            (act.at, number, act) for number, act in enumerate(group.acts)
        ]
        heapify(self._due)

    @property
    def is_over(self) -> bool:
        return not self._due

    @property
    def next_at(self) -> datetime:
        return self._due[0][0]

    async def play_next(self) -> None:
        """Play the next step, again where it fails, as callers and workflows do."""
        at, number, step = heappop(self._due)
        async for attempt in retry_context(on=TRANSIENT, attempts=ATTEMPTS, timeout=None):
            with attempt:
                await self._play(step, at=at, number=number)

    async def _play(self, step: Act | UUID, *, at: datetime, number: int) -> None:
        if isinstance(step, UUID):
            until = await self._sportsbook.referrals.wake(step, now=at)
            self._wait(step, until)
            return
        await self._sportsbook.report(step, self._group.campaign, number=number)
        players = f"{self._group.name}-"
        await self._sportsbook.referrals.wake_all(
            players, now=routed_at(step), waiting=self._waiting
        )
        while self._waiting:
            self._wait(*self._waiting.popitem())

    def _wait(self, referral_id: UUID, until: datetime | None) -> None:
        if until is not None and until < self._ends_at:
            heappush(self._due, (until, next(self._numbers), referral_id))
