"""Verification: checks every invariant over one snapshot, and reports what is only late."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import Database, ReadSession
from referrals.attribution import log_views
from referrals.verification.invariants import INVARIANTS, Invariant

STATEMENT_TIMEOUT_S: Final = 300
"""Time limit for one check, which reads whole tables: longer than a request or an act may take."""

MAX_SHOWN_FAILURES: Final = 20
"""Upper limit of offending rows that a check names; one is enough to fail."""

REPLAY_CHECK: Final = (
    "attributions_decide_again",
    f"The newest {log_views.MAX_REPLAYED:,} attributions, decided again, prefer the same touch.",
)

_LAG: Final = text("""
    with undelivered as (
        select created_at as since from deliveries where acknowledged_at is null
        union all select heard_at from inbox
    )
    select count(*) as undelivered,
           coalesce(extract(epoch from clock_timestamp() - min(since)), 0)::float as oldest_s,
           (select count(*) from reviews where status = 'open') as awaiting_review
      from undelivered
""")


@dataclass(frozen=True, slots=True)
class Check:
    """Result of one check; `failures` are the ids of rows that break it."""

    name: str
    sentence: str
    ok: bool
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Work that is late, not wrong; `unpublished` is zero while nothing publishes the outbox."""

    undelivered: int
    unpublished: int
    oldest_s: float
    awaiting_review: int


@dataclass(frozen=True, slots=True)
class VerificationReport:
    checks: tuple[Check, ...]
    lag: Lag

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


async def verify_database(database: Database) -> VerificationReport:
    async with database.reading() as session:
        return await verify(session)


async def verify(session: ReadSession) -> VerificationReport:
    """Run all checks over one snapshot; the session must not have run a statement before."""
    await session.execute(text("set transaction isolation level repeatable read, read only"))
    await session.execute(text(f"set local statement_timeout = '{STATEMENT_TIMEOUT_S}s'"))
    checks = [await _check(session, invariant) for invariant in INVARIANTS]
    contradictions = await log_views.find_contradictions(session)
    replayed = _check_of(*REPLAY_CHECK, contradictions)
    return VerificationReport((*checks, replayed), await _lag(session))


async def _check(session: ReadSession, invariant: Invariant) -> Check:
    breaches = await session.scalars(text(f"{invariant.breach_query} limit {MAX_SHOWN_FAILURES}"))
    return _check_of(invariant.name, invariant.sentence, [str(row) for row in breaches])


def _check_of(name: str, sentence: str, failures: Sequence[str]) -> Check:
    return Check(name, sentence, not failures, tuple(failures[:MAX_SHOWN_FAILURES]))


async def _lag(session: ReadSession) -> Lag:
    row = (await session.execute(_LAG)).one()
    return Lag(
        undelivered=row.undelivered,
        unpublished=0,
        oldest_s=row.oldest_s,
        awaiting_review=row.awaiting_review,
    )
