"""Stored runs of verification: the newest one answers, the next begins at the last green one."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select

from db.engine import ReadSession, Session
from db.tables import VerifyRun
from referrals.verification.lag import Lag


class Mode(StrEnum):
    WHOLE = "whole"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Base:
    """Beginning of an incremental run: everything written before `position` was green."""

    position: datetime
    checks: frozenset[str]
    """Checks that were green then and have not failed since; the others look at everything."""


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
    newest_first = select(VerifyRun).order_by(VerifyRun.id.desc()).limit(1)
    green = await session.scalar(newest_first.where(VerifyRun.ok))
    newest = await session.scalar(newest_first)
    if green is None or newest is None:
        return None
    failed = {name for name, rows in newest.checks.items() if rows}
    return Base(green.position, frozenset(green.checks) - failed)


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


async def seconds_since_whole_run(session: ReadSession) -> float | None:
    """Return the age of the newest run that looked at everything, or None if there is none."""
    age_s = func.extract("epoch", func.clock_timestamp() - func.max(VerifyRun.started_at))
    found = await session.scalar(select(age_s).where(VerifyRun.mode == Mode.WHOLE))
    return None if found is None else float(found)


async def store_run(
    session: Session,
    *,
    mode: Mode,
    started_at: datetime,
    failures: Mapping[str, Sequence[str]],
    lag: Lag,
    position: datetime,
) -> None:
    values: dict[str, Any] = {
        "mode": mode,
        "started_at": started_at,
        "finished_at": func.clock_timestamp(),
        "ok": not any(failures.values()),
        "checks": {name: list(rows) for name, rows in failures.items()},
        "lag": asdict(lag),
        "position": position,
    }
    await session.execute(insert(VerifyRun).values(values))
