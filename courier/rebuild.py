"""Rebuild of Temporal: starts every waiting referral from its standing in Postgres."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog
import uvloop

from courier.temporal_sender import TemporalTarget, start_referral
from db.engine import Database
from domain.lifecycle.referral import Referral
from domain.lifecycle.signals import Signal
from referrals.lifecycle.waiting import waiting_referrals
from runtime.settings import Settings
from workflows.client import connect

PAGE_SIZE: Final = 500
"""Referrals read at once."""
MAX_CONCURRENT_STARTS: Final = 32
"""Calls to Temporal at the same time."""

log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Rebuild and return 1 if any referral failed; safe on a live system.

    A workflow that is running only looks at its facts once more.
    """
    return uvloop.run(_run(settings))


async def _run(settings: Settings) -> int:
    client = await connect(settings.temporal_address, namespace=settings.temporal_namespace)
    target = TemporalTarget(client, settings.task_queue)
    async with Database.open(settings.database_url, pool_size=2) as database:
        failed = await rebuild(database, target, now=datetime.now(UTC))
    return 1 if failed else 0


async def rebuild(database: Database, target: TemporalTarget, *, now: datetime) -> int:
    """Start waiting referrals and return how many failed; another run tries those again."""
    started, failed, after = 0, 0, None
    while page := await _page(database, now=now, after=after):
        faults = await _start_all(target, page)
        started, failed = started + len(page) - len(faults), failed + len(faults)
        after = page[-1].referral_id
        log.info("rebuilding", started=started, failed=failed, error=repr(faults[:1]))
    log.info("rebuilt", started=started, failed=failed)
    return failed


async def _page(database: Database, *, now: datetime, after: UUID | None) -> tuple[Referral, ...]:
    async with database.reading() as session:
        return await waiting_referrals(session, now=now, after=after, limit=PAGE_SIZE)


async def _start_all(target: TemporalTarget, page: Sequence[Referral]) -> list[BaseException]:
    slots = asyncio.Semaphore(MAX_CONCURRENT_STARTS)

    async def start_one(referral: Referral) -> None:
        async with slots:
            # A fact may be recorded and not acted upon yet, so each workflow looks once.
            await start_referral(target, referral, signal=Signal.LOOK)

    results = await asyncio.gather(*(start_one(r) for r in page), return_exceptions=True)
    return [result for result in results if result is not None]
