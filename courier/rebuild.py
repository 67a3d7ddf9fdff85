"""Rebuild of Temporal: starts every waiting referral from its standing in Postgres.

A referral that has EXPIRED is re-opened first, if a deposit that was in time was overlooked.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import stamina
import structlog
import uvloop

from courier.temporal_sender import TemporalTarget, is_away, start_referral
from db import locks
from db.clock import database_now
from db.engine import Database
from db.faults import describe
from domain.lifecycle.referral import Referral
from domain.lifecycle.signals import Signal
from referrals.fraud.cases import deliveries as case_deliveries
from referrals.lifecycle.reopening import overlooked_referrals, reopen_if_qualified
from referrals.lifecycle.stages import lock_bound_referral
from referrals.lifecycle.waiting import waiting_referrals
from runtime.settings import Settings
from workflows.connection import connect_to

PAGE_SIZE: Final = 500
"""Referrals read at once."""
MAX_CONCURRENT_STARTS: Final = 32
"""Calls to Temporal at the same time."""
TRIES: Final = 4
"""Tries of each start: a server that has just come up may be slow to answer."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """Counts of referrals that a rebuild started, re-opened and failed at."""

    started: int
    reopened: int
    failed: int

    def sentence(self) -> str:
        return (
            f"started {self.started} workflows, re-opened {self.reopened} referrals,"
            f" failed at {self.failed}"
        )


def main(settings: Settings, *, only: Collection[UUID] | None = None, restart: bool = False) -> int:
    """Rebuild, print what was started, and return 1 if any referral failed; safe on a live system.

    A workflow that is running only looks at its facts once more; with `restart` it is terminated
    and started anew.
    """
    return uvloop.run(_run(settings, only, restart=restart))


async def _run(settings: Settings, only: Collection[UUID] | None, *, restart: bool) -> int:
    client = await connect_to(settings.temporal)
    target = TemporalTarget(client, settings.task_queue)
    async with Database.open(settings.database_url, pool_size=2) as database:
        async with database.reading() as session:
            now = await database_now(session)
        rebuilt = await rebuild(database, target, now=now, only=only, restart=restart)
    print(rebuilt.sentence())  # noqa: T201 - the operator waits for it
    return 1 if rebuilt.failed else 0


async def rebuild(
    database: Database,
    target: TemporalTarget,
    *,
    now: datetime,
    only: Collection[UUID] | None = None,
    restart: bool = False,
) -> Rebuilt:
    """Start waiting referrals and count them; another run tries again those that failed."""
    reopened, unopened = await reopen_overlooked(database, now=now, only=only)
    started, failed, after = 0, len(unopened), None
    while page := await _page(database, now=now, after=after, only=only):
        faults = await _start_all(target, page, restart=restart)
        started, failed = started + len(page) - len(faults), failed + len(faults)
        after = page[-1].referral_id
        why = describe(faults[0]) if faults else None
        log.info("rebuilding", started=started, failed=failed, error=why)
    if only is None:
        await _rebuild_cases(database)
    log.info("rebuilt", started=started, failed=failed)
    return Rebuilt(started=started, reopened=reopened, failed=failed)


async def _rebuild_cases(database: Database) -> None:
    """Let the courier start the workflow of each open case, where none is running."""
    async with database.transaction() as session:
        await case_deliveries.enqueue_open(session)


async def reopen_overlooked(
    database: Database, *, now: datetime, only: Collection[UUID] | None = None
) -> tuple[int, Sequence[UUID]]:
    """Re-open the EXPIRED referrals whose deposit was in time; count them, and list failures."""
    failed: list[UUID] = []
    reopened, after = 0, UUID(int=0)
    while page := await _overlooked(database, now=now, after=after):
        for referral_id, player_id in page:
            if only is not None and referral_id not in only:
                continue
            outcome = await _try_to_reopen(database, referral_id, player_id, now=now)
            reopened += outcome is True
            failed += [referral_id] if outcome is None else []
        after = page[-1][0]
    log.info("reopened", reopened=reopened, failed=len(failed))
    return reopened, failed


async def _overlooked(
    database: Database, *, now: datetime, after: UUID
) -> Sequence[tuple[UUID, str]]:
    async with database.reading() as session:
        return await overlooked_referrals(session, now=now, after=after, limit=PAGE_SIZE)


async def _try_to_reopen(
    database: Database, referral_id: UUID, player_id: str, *, now: datetime
) -> bool | None:
    """Return whether it was re-opened; None when that failed, which stops no other."""
    try:
        return await _reopen(database, player_id, now=now)
    except Exception as fault:  # noqa: BLE001 - one unreadable fact must not stop the others
        why = describe(fault)
    log.error("referral_not_reopened", referral_id=str(referral_id), error=why)
    return None


async def _reopen(database: Database, player_id: str, *, now: datetime) -> bool:
    async with database.transaction() as session:
        await locks.lock_players(session, player_id)
        row = await lock_bound_referral(session, player_id)
        return row is not None and await reopen_if_qualified(session, row, now=now)


async def _page(
    database: Database,
    *,
    now: datetime,
    after: UUID | None,
    only: Collection[UUID] | None,
) -> tuple[Referral, ...]:
    async with database.reading() as session:
        return await waiting_referrals(session, now=now, after=after, limit=PAGE_SIZE, only=only)


async def _start_all(
    target: TemporalTarget, page: Sequence[Referral], *, restart: bool
) -> list[BaseException]:
    slots = asyncio.Semaphore(MAX_CONCURRENT_STARTS)

    async def start_one(referral: Referral) -> None:
        async with slots:
            async for attempt in stamina.retry_context(on=is_away, attempts=TRIES, timeout=None):
                with attempt:
                    # A fact may be recorded and not acted upon yet, so each workflow looks once.
                    await start_referral(target, referral, signal=Signal.LOOK, restart=restart)

    results = await asyncio.gather(*(start_one(r) for r in page), return_exceptions=True)
    return [result for result in results if result is not None]
