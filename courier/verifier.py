"""The verifier process: checks what changed every few minutes, and everything once a day."""

import asyncio
from typing import Final

import structlog
import uvloop

from db.engine import Database
from db.faults import DATABASE_FAULTS, is_schema_fault
from referrals.verification.runs import Mode, seconds_since_whole_run
from referrals.verification.verify import VerificationReport, run_verification
from runtime.exit import stop_event
from runtime.settings import DatabaseSettings

WHOLE_INTERVAL_S: Final = 24 * 3600
"""Seconds after which everything is checked again."""

log = structlog.get_logger()


def verify_once(settings: DatabaseSettings, *, whole: bool) -> VerificationReport | str:
    """Verify once and return the report, or a sentence saying why that was not possible."""
    mode = Mode.WHOLE if whole else Mode.INCREMENTAL

    async def run() -> VerificationReport:
        async with Database.open(settings.database_url) as database:
            return await run_verification(database, mode=mode)

    try:
        return uvloop.run(run())
    except DATABASE_FAULTS as fault:
        return f"could not verify: {explain(fault)}"


def main(settings: DatabaseSettings, *, interval_s: float) -> int:
    """Verify again and again until SIGTERM or SIGINT."""
    uvloop.run(_run_until_stopped(settings, interval_s))
    return 0


async def _run_until_stopped(settings: DatabaseSettings, interval_s: float) -> None:
    stopping = stop_event()
    async with Database.open(settings.database_url) as database:
        log.info("ready")
        while not stopping.is_set():
            await verify_and_log(database)
            await _wait(stopping, interval_s)


async def verify_and_log(database: Database) -> None:
    """Verify once and log the result; a database that is away is tried again the next time."""
    try:
        report = await run_verification(database, mode=await _next_mode(database))
    except DATABASE_FAULTS as fault:
        log.warning("verification_failed", reason=explain(fault))
        return
    failed = [check.name for check in report.checks if not check.ok]
    if failed:
        # The rows are in the stored run; some ids are players', who are in no log.
        log.error("verification_red", mode=report.mode, checks=failed)
    else:
        log.info("verification_green", mode=report.mode, overdue=report.lag.overdue)


def explain(fault: Exception) -> str:
    """Return in a few words why the database did not answer."""
    if is_schema_fault(fault):
        return "the schema is not that of this release; run `referrals migrate`"
    cause = getattr(fault, "orig", None) or fault
    return f"the database did not answer ({str(cause) or type(cause).__name__})"


async def _next_mode(database: Database) -> Mode:
    async with database.reading() as session:
        age_s = await seconds_since_whole_run(session)
    return Mode.WHOLE if age_s is None or age_s > WHOLE_INTERVAL_S else Mode.INCREMENTAL


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
