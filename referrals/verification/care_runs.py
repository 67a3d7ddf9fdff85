"""Results of scheduled care: what each try found, for metrics and for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, insert, text

from db.engine import ReadSession, Session
from db.tables import CareRun


class Care(StrEnum):
    """Kinds of scheduled care."""

    VERIFY = "verify"
    """Every invariant over every row."""
    CHAIN = "chain"
    """The hash chain against its rows and checkpoints; a green check writes a checkpoint."""
    RETENTION = "retention"
    RECONCILIATION = "reconciliation"
    """Rewards and ledger against the wallet, where there is one."""


_NEWEST: Final = text("""
    select kinds.kind,
           extract(epoch from clock_timestamp() - done.finished_at)::float as age_s,
           done.findings, newest.findings is null as has_failed
      from unnest(cast(:kinds as text[])) as kinds(kind)
      join lateral (select findings from care_runs r
                     where r.kind = kinds.kind order by id desc limit 1) newest on true
      left join lateral (select finished_at, findings from care_runs r
                          where r.kind = kinds.kind and findings is not null
                          order by id desc limit 1) done on true
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestCare:
    """The newest try of a kind that found something out, and whether the newest of all failed."""

    age_s: float | None
    """Seconds since it ended, or None if no try succeeded."""
    findings: int
    has_failed: bool


async def store_care(
    session: Session,
    kind: Care,
    *,
    started_at: datetime,
    findings: int | None,
    details: Mapping[str, Any],
) -> None:
    """Store a try; `findings` counts violations or differences, None says that it failed."""
    values = {
        "kind": kind,
        "started_at": started_at,
        "finished_at": func.clock_timestamp(),
        "findings": findings,
        "details": dict(details),
    }
    await session.execute(insert(CareRun).values(values))


async def newest_care(session: ReadSession) -> dict[Care, NewestCare]:
    """Return the newest results, without the kinds that were never tried."""
    rows = await session.execute(_NEWEST, {"kinds": list(Care)})
    return {
        Care(row.kind): NewestCare(
            age_s=row.age_s, findings=row.findings or 0, has_failed=row.has_failed
        )
        for row in rows
    }
