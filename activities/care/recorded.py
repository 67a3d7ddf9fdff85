"""The recording of scheduled care: each try leaves its result, also the one that fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from temporalio import activity

from db.clock import database_now
from db.engine import Database
from db.faults import DATABASE_FAULTS, describe
from referrals.verification.care_runs import Care, store_care

HEARTBEAT_EVERY_S: Final = 10.0
"""Well within the heartbeat timeout, after which another process tries again."""
_log = structlog.get_logger()


@dataclass(slots=True)
class CareResult:
    """Number of violations or differences, and what else is worth keeping."""

    findings: int = 0
    details: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def recorded_care(database: Database, kind: Care) -> AsyncIterator[CareResult]:
    """Store what the block found out, or that it failed, and send heartbeats meanwhile."""
    async with database.reading() as session:
        started_at = await database_now(session)
    result, heartbeats = CareResult(), asyncio.create_task(_send_heartbeats())
    try:
        yield result
    except Exception as fault:
        _log.warning("care_failed", care=kind, reason=describe(fault))
        with suppress(*DATABASE_FAULTS):
            async with database.transaction() as session:
                failed = {"reason": describe(fault)}
                await store_care(
                    session, kind, started_at=started_at, findings=None, details=failed
                )
        raise
    finally:
        heartbeats.cancel()
    async with database.transaction() as session:
        await store_care(
            session,
            kind,
            started_at=started_at,
            findings=result.findings,
            details=result.details,
        )
    # Rows are named where each kind keeps them, not here: some ids are players'.
    level = _log.error if result.findings else _log.info
    level("care_done", care=kind, findings=result.findings)


async def _send_heartbeats() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_EVERY_S)
