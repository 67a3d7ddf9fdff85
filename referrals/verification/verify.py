"""Verification: checks every invariant over one snapshot, and reports what is only late."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import Database, ReadSession
from db.faults import DATABASE_FAULTS, describe, is_read_only, locate
from referrals.verification import runs
from referrals.verification.changes import load_changes, load_snapshot
from referrals.verification.fact_checks import FACT_CHECKS, FactCheck
from referrals.verification.invariant import Invariant, Scope
from referrals.verification.invariants import INVARIANTS
from referrals.verification.lag import Lag, load_lag
from referrals.verification.runs import Base, Mode

STATEMENT_TIMEOUT_S: Final = 300
"""Time limit for one check, which may read whole tables: longer than a request or an act has."""

MAX_SHOWN_FAILURES: Final = 20
"""Upper limit of offending rows that a check names; one is enough to fail."""

SETTLING: Final = timedelta(minutes=15)
"""Time that a workflow has to act on a delivered fact, and a transaction to commit: what is
younger is on its way, and looked at again by the next run."""

OVERDUE_GRACE: Final = timedelta(hours=1)
"""Time after its deadline at which an open referral is overdue for good: its workflow is lost."""

CHECKS: Final[tuple[Invariant | FactCheck, ...]] = (*INVARIANTS, *FACT_CHECKS)
SENTENCES: Final = {check.name: check.sentence for check in CHECKS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Result of one check; `failures` are ids of rows that break it, or why it did not run."""

    name: str
    sentence: str
    ok: bool
    failures: tuple[str, ...]
    looked_at_all: bool
    """False where it looked at what changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    mode: Mode
    started_at: datetime
    checks: tuple[Check, ...]
    lag: Lag
    position: datetime
    """Everything written before it was settled and looked at."""
    is_stored: bool = True
    """False after a run on a standby, which stores nothing."""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


async def run_verification(
    database: Database,
    *,
    mode: Mode,
    as_of: datetime | None = None,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
) -> VerificationReport:
    """Check everything, or what changed since the last green run, and store the result.

    `as_of` is compared with deadlines; without it, the database's clock is. Raises
    DATABASE_FAULTS when it could not run to its end; nothing is stored then.
    """
    async with database.reading() as session:
        report = await verify(
            session, mode=mode, as_of=as_of, statement_timeout_s=statement_timeout_s
        )
    return await store(database, report)


async def verify_database(
    database: Database, *, as_of: datetime | None = None, settling: timedelta = SETTLING
) -> VerificationReport:
    """Check everything, and store nothing."""
    async with database.reading() as session:
        return await verify(session, as_of=as_of, settling=settling)


async def verify(
    session: ReadSession,
    *,
    mode: Mode = Mode.WHOLE,
    as_of: datetime | None = None,
    settling: timedelta = SETTLING,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
) -> VerificationReport:
    """Run all checks over one snapshot; the session must not have run a statement before.

    `as_of` is compared with deadlines; without it, the database's clock is. An incremental run
    without a green one before it is a whole run.
    """
    await session.execute(text("set transaction isolation level repeatable read, read only"))
    await session.execute(
        text(f"set local statement_timeout = '{round(statement_timeout_s * 1000)}ms'")
    )
    base = await runs.load_base(session) if mode is Mode.INCREMENTAL else None
    snapshot = await load_snapshot(
        session, settling=SETTLING, since=base.position if base else None
    )
    as_of = as_of or snapshot.now
    whole = Scope(
        as_of=as_of,
        settled_before=snapshot.now - settling,
        overdue_before=as_of - OVERDUE_GRACE,
    )
    checks = await _check_all(session, whole, base)
    return VerificationReport(
        mode=Mode.INCREMENTAL if base else Mode.WHOLE,
        started_at=snapshot.now,
        checks=checks,
        lag=await load_lag(session, as_of=as_of),
        position=snapshot.position,
    )


async def _check_all(session: ReadSession, whole: Scope, base: Base | None) -> tuple[Check, ...]:
    if base is None:
        return tuple([await _check(session, check, whole) for check in CHECKS])
    changes = await load_changes(session, base.position)
    changed = replace(whole, changes=changes)
    return tuple(
        [
            await _check(session, check, changed if check.name in base.checks else whole)
            for check in CHECKS
        ]
    )


async def _check(session: ReadSession, check: Invariant | FactCheck, scope: Scope) -> Check:
    try:
        failures = await _failures(session, check, scope)
    except DATABASE_FAULTS:
        raise
    except Exception as fault:  # noqa: BLE001 - one unreadable row must not stop the other checks
        failures = (f"could not be checked: {describe(fault)} ({locate(fault)})",)
    return Check(
        name=check.name,
        sentence=check.sentence,
        ok=not failures,
        failures=tuple(failures[:MAX_SHOWN_FAILURES]),
        looked_at_all=scope.changes is None,
    )


async def _failures(
    session: ReadSession, check: Invariant | FactCheck, scope: Scope
) -> Sequence[str]:
    if isinstance(check, FactCheck):
        return await check.find(session, scope)
    return await _breaches(session, check, scope)


async def _breaches(session: ReadSession, invariant: Invariant, scope: Scope) -> list[str]:
    query = text(f"{invariant.query(scope)} limit {MAX_SHOWN_FAILURES}")
    needed = {name: scope.values[name] for name in query.compile().params}
    return [str(row) for row in await session.scalars(query, needed)]


async def store(database: Database, report: VerificationReport) -> VerificationReport:
    """Store a run, and return it; on a standby nothing is stored."""
    try:
        async with database.transaction() as session:
            await runs.store_run(
                session,
                mode=report.mode,
                started_at=report.started_at,
                failures={check.name: check.failures for check in report.checks},
                looked_at_all=[check.name for check in report.checks if check.looked_at_all],
                lag=report.lag,
                position=report.position,
            )
    except DATABASE_FAULTS as fault:
        if not is_read_only(fault):
            raise
        return replace(report, is_stored=False)
    return report
