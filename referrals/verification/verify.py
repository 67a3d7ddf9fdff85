"""Checks what must always be true over one snapshot, and tells what is only late."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from db.engine import Database, ReadSession
from referrals.attribution import log_views as attribution_views
from referrals.verification.invariants import INVARIANTS, Invariant

PATIENCE_S: Final = 300
SHOWN: Final = 20
"""How many offending rows a check names; one is enough to fail."""

REPLAY_CHECK: Final = (
    "attributions_decide_again",
    "The newest 20,000 attributions, decided again from what was stored, prefer the same touch.",
)

_LAG: Final = text("""
    WITH undelivered AS (
        SELECT created_at AS since FROM deliveries WHERE acknowledged_at IS NULL
        UNION ALL SELECT heard_at FROM inbox
    )
    SELECT count(*) AS undelivered,
           coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0)::float AS oldest_s,
           (SELECT count(*) FROM reviews WHERE status = 'open') AS awaiting_review
      FROM undelivered
""")


@dataclass(frozen=True, slots=True)
class Check:
    """`failures` are ids of rows that break it."""

    name: str
    sentence: str
    ok: bool
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What is late, not wrong; `unpublished` is zero while nothing publishes the outbox."""

    undelivered: int
    unpublished: int
    oldest_s: float
    awaiting_review: int


@dataclass(frozen=True, slots=True)
class Report:
    checks: tuple[Check, ...]
    lag: Lag

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


async def verified(database: Database) -> Report:
    async with database.reading() as session:
        return await verify(session)


async def verify(session: ReadSession) -> Report:
    """All checks over one snapshot; the session must not have been used before."""
    await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    # A check reads whole tables, which may take longer than any request or act may.
    await session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'"))
    checks = [await _check(session, invariant) for invariant in INVARIANTS]
    again = Check(*REPLAY_CHECK, *_broken(await attribution_views.find_contradictions(session)))
    return Report((*checks, again), await _lag(session))


def _broken(failures: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    return not failures, tuple(failures[:SHOWN])


async def _check(session: ReadSession, invariant: Invariant) -> Check:
    found = await session.scalars(text(f"{invariant.breaches} LIMIT {SHOWN}"))
    failures = tuple(str(row) for row in found)
    return Check(invariant.name, invariant.sentence, not failures, failures)


async def _lag(session: ReadSession) -> Lag:
    row = (await session.execute(_LAG)).one()
    return Lag(
        undelivered=row.undelivered,
        unpublished=0,
        oldest_s=row.oldest_s,
        awaiting_review=row.awaiting_review,
    )
