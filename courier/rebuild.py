"""Starts every referral that still waits again, from where Postgres says that it stands."""

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
from referrals.lifecycle.waiting import waiting_referrals
from runtime.settings import Settings
from workflows.client import connect

PAGE_SIZE: Final = 500
MAX_CONCURRENT_STARTS: Final = 32

log = structlog.get_logger()


def main(settings: Settings) -> int:
    """Safe on a live system too: a workflow that is there only looks once more."""
    return uvloop.run(_run(settings))


async def _run(settings: Settings) -> int:
    database = Database(settings.database_url, pool_size=2)
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    failed = await rebuild(
        database, TemporalTarget(client, settings.task_queue), now=datetime.now(UTC)
    )
    await database.close()
    return 1 if failed else 0


async def rebuild(database: Database, address: TemporalTarget, *, now: datetime) -> int:
    """How many could not be started; running it again tries those too."""
    started, failed, after = 0, 0, None
    while page := await _page(database, now=now, after=after):
        faults = await _start(address, page)
        started, failed = started + len(page) - len(faults), failed + len(faults)
        after = page[-1].referral_id
        log.info("rebuilding", started=started, failed=failed, error=repr(faults[:1]))
    log.info("rebuilt", started=started, failed=failed)
    return failed


async def _page(database: Database, *, now: datetime, after: UUID | None) -> tuple[Referral, ...]:
    async with database.reading() as session:
        return await waiting_referrals(session, now=now, after=after, limit=PAGE_SIZE)


async def _start(address: TemporalTarget, page: Sequence[Referral]) -> list[BaseException]:
    room = asyncio.Semaphore(MAX_CONCURRENT_STARTS)

    async def start_one(referral: Referral) -> None:
        async with room:
            # A fact may have been heard and not been acted upon: each looks once by itself.
            await start_referral(address, referral, signal="look")

    results = await asyncio.gather(*(start_one(r) for r in page), return_exceptions=True)
    return [result for result in results if result is not None]
