"""The loop of the verifier: checks what changed every few minutes, and everything once a day.

Whoever wants to know sooner, as `GET /v1/ledger/verify` does, notifies it.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

import structlog
import uvloop

from db.engine import ANSWER_GRACE_S, Database
from db.faults import DATABASE_FAULTS, describe, is_schema_fault
from db.notifications import VERIFICATION, listen
from referrals.verification.runs import Mode, newest_whole_run
from referrals.verification.verify import (
    STATEMENT_TIMEOUT_S,
    VerificationReport,
    run_verification,
)
from runtime.settings import DatabaseSettings

WHOLE_INTERVAL_S: Final = 25 * 3600
"""Seconds after which everything is checked again, however long that takes: an hour more than the
day of Temporal's schedule, so that nothing is missed while Temporal is away."""
WHOLE_PAUSE_FACTOR: Final = 20
"""Everything is checked again sooner where that takes at most a twentieth of the time."""
WHOLE_FOR_ASKERS_S: Final = 3.0
"""Everything is checked for whoever asks, where it took at most so many seconds the last time."""

log = structlog.get_logger()


def verify_once(settings: DatabaseSettings, *, whole: bool) -> VerificationReport | str:
    """Verify once and return the report, or a sentence saying why that was not possible."""
    mode = Mode.WHOLE if whole else Mode.INCREMENTAL

    async def run() -> VerificationReport:
        async with _open(settings.database_url) as database:
            return await run_verification(database, mode=mode)

    try:
        return uvloop.run(run())
    except Exception as fault:  # noqa: BLE001 - the caller learns why, and that nothing is known
        return f"could not verify: {explain(fault)}"


async def run(url: str, *, interval_s: float, stopping: asyncio.Event) -> None:
    """Verify at each interval, and whenever somebody asks, until `stopping` is set."""
    wake_up = asyncio.Event()

    def wake(payload: str | None) -> None:
        # After each new connection too, because a question may have been missed.
        if payload in {None, VERIFICATION}:
            wake_up.set()

    listening = asyncio.create_task(listen(url, wake))
    stopped = asyncio.create_task(stopping.wait())
    async with _open(url) as database:
        is_ready = False
        while not stopped.done():
            is_asked = wake_up.is_set()
            wake_up.clear()
            has_verified = await verify_and_log(database, is_asked=is_asked)
            if has_verified and not is_ready:
                is_ready = True
                log.info("ready")
            await _wait(stopped, wake_up, interval_s)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


def _open(url: str) -> AbstractAsyncContextManager[Database]:
    # A check may read whole tables.
    return Database.open(url, command_timeout_s=STATEMENT_TIMEOUT_S + ANSWER_GRACE_S)


async def verify_and_log(database: Database, *, is_asked: bool = False) -> bool:
    """Verify once and log the result; return False when that failed, until the next time."""
    try:
        report = await run_verification(
            database, mode=await _next_mode(database, is_asked=is_asked)
        )
    except Exception as fault:  # noqa: BLE001 - the verifier outlives each of its runs
        log.warning("verification_failed", reason=explain(fault))
        return False
    failed = [check.name for check in report.checks if not check.ok]
    if failed:
        # The rows are in the stored run: they may be many, and some ids are players'.
        log.error("verification_red", mode=report.mode, checks=failed)
    else:
        log.info("verification_green", mode=report.mode, overdue=report.lag.overdue)
    return True


def explain(fault: Exception) -> str:
    """Return in a few words why it could not be verified, such as a database that is away."""
    if not isinstance(fault, DATABASE_FAULTS):
        return describe(fault)
    if is_schema_fault(fault):
        return "the schema is not that of this release; run `referrals migrate`"
    cause = getattr(fault, "orig", None) or fault
    return f"the database did not answer ({str(cause) or type(cause).__name__})"


async def _next_mode(database: Database, *, is_asked: bool) -> Mode:
    async with database.reading() as session:
        whole = await newest_whole_run(session)
    if whole is None or (is_asked and whole.took_s <= WHOLE_FOR_ASKERS_S):
        return Mode.WHOLE
    is_due = whole.age_s > min(WHOLE_INTERVAL_S, whole.took_s * WHOLE_PAUSE_FACTOR)
    return Mode.WHOLE if is_due else Mode.INCREMENTAL


async def _wait(stopped: asyncio.Task[bool], wake_up: asyncio.Event, seconds: float) -> None:
    woken = asyncio.create_task(wake_up.wait())
    await asyncio.wait({stopped, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    woken.cancel()
