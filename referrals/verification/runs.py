"""Stored runs of verification: the newest one answers, the next begins at the last green one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, insert, select, text

from db.clock import database_now
from db.engine import ReadSession, Session
from db.notifications import VERIFICATION
from db.tables import VerifyRun
from db.wakes import wake_after_commit
from referrals.verification.lag import Lag

# A failure is over when a run that began after it has looked at everything again: one that began
# before it may be stored later. Failures before the last whole green run are over.
_UNRESOLVED: Final = text("""
    with red as (
        select c.key as name, max(r.started_at) as began
          from verify_runs r, lateral jsonb_each(r.checks) c
         where not r.ok and c.value <> '[]'
           and r.started_at > coalesce((select max(started_at) from verify_runs
                                         where ok and mode = 'whole'), '-infinity')
         group by c.key
    )
    select name from red
     where not exists (select from verify_runs later
                        where later.started_at > red.began
                          and later.checks -> red.name = '[]'
                          and (later.mode = 'whole' or red.name = any(later.looked_at_all)))
""")


class Mode(StrEnum):
    WHOLE = "whole"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Base:
    """Beginning of an incremental run: everything written before `position` was green."""

    position: datetime
    checks: frozenset[str]
    """Checks that were green then and have no unresolved failure; the others look at everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    mode: Mode
    started_at: datetime
    finished_at: datetime
    ok: bool
    failures: Mapping[str, Sequence[str]]
    """Ids of the rows that break each check, by its name; empty for a check that holds."""
    age_s: float


async def load_base(session: ReadSession) -> Base | None:
    """Return where an incremental run may begin, or None if no run was green yet."""
    newest_green = select(VerifyRun).where(VerifyRun.ok).order_by(VerifyRun.id.desc()).limit(1)
    green = await session.scalar(newest_green)
    if green is None:
        return None
    unresolved = frozenset(await session.scalars(_UNRESOLVED))
    return Base(green.position, frozenset(green.checks) - unresolved)


async def newest_run(session: ReadSession) -> StoredRun | None:
    age_s = func.extract("epoch", func.clock_timestamp() - VerifyRun.finished_at)
    query = select(VerifyRun, age_s).order_by(VerifyRun.id.desc()).limit(1)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    run, age = found
    return StoredRun(
        mode=Mode(run.mode),
        started_at=run.started_at,
        finished_at=run.finished_at,
        ok=run.ok,
        failures=run.checks,
        age_s=float(age),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRun:
    """Age and duration of the newest run that looked at everything."""

    age_s: float
    took_s: float


async def newest_whole_run(session: ReadSession) -> WholeRun | None:
    age_s = func.extract("epoch", func.clock_timestamp() - VerifyRun.started_at)
    took_s = func.extract("epoch", VerifyRun.finished_at - VerifyRun.started_at)
    query = select(age_s, took_s).where(VerifyRun.mode == Mode.WHOLE)
    found = (await session.execute(query.order_by(VerifyRun.started_at.desc()).limit(1))).first()
    return WholeRun(age_s=float(found[0]), took_s=float(found[1])) if found else None


async def ask_for_run(session: Session) -> datetime:
    """Ask the verifier for a run, and return the database's time, after which that will begin."""
    asked_at = await database_now(session)
    wake_after_commit(session, VERIFICATION)
    return asked_at


async def has_run_since(session: ReadSession, time: datetime) -> bool:
    """Return whether a run is stored that began after a time of the database's clock."""
    query = select(VerifyRun.id).where(VerifyRun.started_at > time).limit(1)
    return await session.scalar(query) is not None


async def store_run(
    session: Session,
    *,
    mode: Mode,
    started_at: datetime,
    failures: Mapping[str, Sequence[str]],
    looked_at_all: Sequence[str] = (),
    lag: Lag,
    position: datetime,
) -> None:
    values: dict[str, Any] = {
        "mode": mode,
        "started_at": started_at,
        "finished_at": func.clock_timestamp(),
        "ok": not any(failures.values()),
        "checks": {name: list(rows) for name, rows in failures.items()},
        "looked_at_all": list(looked_at_all),
        "lag": asdict(lag),
        "position": position,
    }
    await session.execute(insert(VerifyRun).values(values))
