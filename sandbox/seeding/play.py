"""The playing of a seeded past in the real application, weeks in seconds, before processes start.

What Temporal would wake is acted upon here, at the time at which it would have been.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from multiprocessing import get_context
from typing import Final
from uuid import UUID

import uvloop

from activities.locked_referrals import LockedReferrals
from db.engine import Database
from referrals.attribution.tokens import Tokens
from referrals.fraud.cases.filing import file_doubts
from runtime.logs import configure_logging
from runtime.settings import Settings
from sandbox.evaluation.in_process_client import InProcessClient
from sandbox.evaluation.play import build_client
from sandbox.fraud_evaluation.deliveries import WokenReferrals
from sandbox.seeding.campaigns import publish_offers
from sandbox.seeding.circles import DAYS, Circle, make_circles
from sandbox.seeding.doors import Doors

CONCURRENCY: Final = 4
"""Circles that act at the same time; each needs a database connection."""
ACTED_AFTER: Final = timedelta(seconds=2)
"""Simulated time from a report to the act that it wakes."""
OFFERED_BEFORE: Final = timedelta(days=2)
"""Time before the first act at which the offers begin."""
LOG_LEVEL: Final = "ERROR"
LEFT_OPEN: Final = 3
"""Cases that are left for the reader to decide; the older ones are decided."""


async def seed_past(
    settings: Settings,
    *,
    key: str,
    approver_key: str,
    referrals: int,
    processes: int = 2,
    seed: int = 1,
) -> None:
    """Play the past of as many invitations into an empty, migrated database."""
    past = Past(settings=settings, key=key, referrals=referrals, seed=seed, now=datetime.now(UTC))
    async with Database.open(settings.database_url, pool_size=CONCURRENCY) as database:
        client = build_client(settings, database, key=key, middleware=None)
        approver = build_client(settings, database, key=approver_key, middleware=None)
        await publish_offers(client, approver, at=past.begins_at)
        await _play_in_processes(past, processes)
        await _decide_cases(database, approver, now=past.now)
        for circle in past.circles():
            await PlayedCircle.of(circle, past, client, database).wake(at=past.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A past to be played, the same in each process."""

    settings: Settings
    key: str
    referrals: int
    seed: int
    now: datetime

    @property
    def begins_at(self) -> datetime:
        return self.now - timedelta(days=DAYS) - OFFERED_BEFORE

    def circles(self, *, number: int = 0, processes: int = 1) -> list[Circle]:
        """Return one process's part; no two circles share a value."""
        planned = make_circles(self.referrals, now=self.now, seed=self.seed)
        return [each for nth, each in enumerate(planned) if nth % processes == number]


async def _play_in_processes(past: Past, processes: int) -> None:
    if processes == 1:
        await _play(past, past.circles())
        return
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        await asyncio.gather(
            *(
                loop.run_in_executor(pool, _play_part, past, number, processes)
                for number in range(processes)
            )
        )


def _play_part(past: Past, number: int, processes: int) -> None:
    configure_logging(LOG_LEVEL)
    uvloop.run(_play(past, past.circles(number=number, processes=processes)))


async def _play(past: Past, circles: Sequence[Circle]) -> None:
    async with Database.open(past.settings.database_url, pool_size=CONCURRENCY) as database:
        client = build_client(past.settings, database, key=past.key, middleware=None)
        await _play_all([PlayedCircle.of(each, past, client, database) for each in circles])


async def _play_all(playing: Sequence["PlayedCircle"]) -> None:
    """Play the steps of all circles, the earliest first."""
    due = [(each.next_at, number) for number, each in enumerate(playing) if not each.is_over]
    heapify(due)

    async def advance() -> None:
        while due:
            _, number = heappop(due)
            await playing[number].play_next()
            if not playing[number].is_over:
                heappush(due, (playing[number].next_at, number))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONCURRENCY):
            tasks.create_task(advance())


@dataclass(slots=True)
class PlayedCircle:
    """A circle in the course of its acts, with the referrals that wait for a hold to end."""

    circle: Circle
    doors: Doors
    referrals: WokenReferrals
    now: datetime
    _waiting: dict[UUID, datetime] = field(default_factory=dict)
    _played: int = 0

    @classmethod
    def of(
        cls, circle: Circle, past: Past, client: InProcessClient, database: Database
    ) -> "PlayedCircle":
        tokens = Tokens(past.settings.token_key.get_secret_value())
        locked = LockedReferrals(database, hasher=past.settings.hasher, tokens=tokens)
        doors = Doors(circle, client, database, tokens)
        return cls(circle, doors, WokenReferrals(database, locked), past.now)

    @property
    def is_over(self) -> bool:
        return self._played == len(self.circle.acts) and self._next_wake() is None

    @property
    def next_at(self) -> datetime:
        """Return the time of the next step; a circle that is over has none."""
        times = [act.at for act in self.circle.acts[self._played : self._played + 1]]
        return min([*times, *filter(None, [self._next_wake()])])

    async def play_next(self) -> None:
        """Play the next act, or wake the referral whose hold ends before it."""
        at, wakes_at = self.next_at, self._next_wake()
        if at == wakes_at:
            await self._end_hold(at=wakes_at)
            return
        act = self.circle.acts[self._played]
        self._played += 1
        if await self.doors.report(act):
            await self.wake(at=act.at + ACTED_AFTER)

    async def wake(self, *, at: datetime) -> None:
        """Act on the circle's referrals that have something to look at."""
        players = f"{self.circle.name}-"
        await self.referrals.wake_all(players, now=at, waiting=self._waiting)

    async def _end_hold(self, *, at: datetime) -> None:
        referral_id = min(self._waiting, key=self._waiting.__getitem__)
        del self._waiting[referral_id]
        until = await self.referrals.wake(referral_id, now=at)
        if until is not None:
            self._waiting[referral_id] = until

    def _next_wake(self) -> datetime | None:
        return min((at for at in self._waiting.values() if at < self.now), default=None)


async def _decide_cases(database: Database, approver: InProcessClient, *, now: datetime) -> None:
    """File what is doubted, and decide all but the latest cases, as reviewers would have."""
    async with database.transaction() as session:
        await file_doubts(session, limit=100)
    listed = await approver.get_json("/v1/cases?status=open&limit=200", at=now)
    cases = sorted(listed["items"], key=lambda case: str(case["opened_at"]))
    for number, case in enumerate(cases[:-LEFT_OPEN]):
        decision = "reject" if number % 3 else "approve"
        reason = "one card, two players" if number % 3 else "a household, both verified"
        body = {"decision": decision, "reason": reason}
        await approver.post(f"/v1/cases/{case['case_id']}/decision", body, at=now)
