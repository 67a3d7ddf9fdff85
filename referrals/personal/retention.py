"""Retention: what is only kept for a time is let go, in batches; money's proof stays.

The rows are of tables whose rows are only ever inserted: functions of the database let go of them,
and of none that is younger than sixty days.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import Database, Session
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.link_values import WRITTEN_KINDS

LINKS: Final = tuple(f"links_{kind}" for kind in WRITTEN_KINDS)
KINDS: Final = (
    "clicks", "visitors", "facts", "sessions", "sign_in_links",
    "list_entries", "shadow_assessments", "signup_assessments", "case_deliveries",
    "cluster_merges", *LINKS,
)  # fmt: skip
KEPT_UNLESS_NAMED: Final = frozenset(LINKS) - {"links_ip", "links_network"}
"""Kinds that no general period lets go of: who came with a card two years ago is no new person."""
MIN_DAYS: Final = 60
"""Age in days below which the database keeps rows: an expired invitation may open for a month."""
DEFAULT_DAYS: Final = 400
BATCH_ROWS: Final = 1000
"""Rows that one transaction lets go of."""
MANY_ROWS: Final = {"facts": 10_000}
"""Rows of kinds whose batches read past what was let go of before."""
STATEMENT_TIMEOUT_S: Final = 300
_LIMIT_TIME: Final = text(f"set local statement_timeout = '{STATEMENT_TIMEOUT_S}s'")


def periods_of(days: int, by_kind: Mapping[str, int | None]) -> dict[str, timedelta]:
    """Return the age at which each kind is let go of, without the kinds that are kept.

    `days` is the general age, `by_kind` those of single kinds in days, None to keep one. Raises
    ValueError for an unknown kind, and for an age below MIN_DAYS.
    """
    _check(by_kind)
    if days < MIN_DAYS or any(own is not None and own < MIN_DAYS for own in by_kind.values()):
        raise ValueError(f"Nothing is let go of before it is {MIN_DAYS} days old")
    general = {kind: days for kind in KINDS if kind not in KEPT_UNLESS_NAMED}
    asked: dict[str, int | None] = {**general, **by_kind}
    return {kind: timedelta(days=own) for kind in KINDS if (own := asked.get(kind)) is not None}


def _check(kinds: Iterable[str]) -> None:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"{unknown[0]} is not a kind; kinds are {', '.join(KINDS)}")


async def count_old(session: Session, kind: str, *, before: datetime) -> int:
    """Return how many rows of a kind are from before a time."""
    return await _call(session, kind, before=before, batch=0, is_dry=True)


async def let_go_of_all(database: Database, kind: str, actor: Actor, *, before: datetime) -> int:
    """Let go of every old row of a kind, a batch to a transaction; return their number."""
    total = 0
    while True:
        async with database.transaction() as session:
            limit = MANY_ROWS.get(kind, BATCH_ROWS)
            rows = await let_go(session, kind, actor, before=before, limit=limit)
        total += rows
        if not rows:
            return total


async def let_go(
    session: Session, kind: str, actor: Actor, *, before: datetime, limit: int = BATCH_ROWS
) -> int:
    """Let go of up to `limit` rows; return their number."""
    rows = await _call(session, kind, before=before, batch=limit, is_dry=False)
    if rows:
        details = {"before": before.isoformat(), "rows": rows}
        subject = f"retention:{kind}"
        await audit.write(
            session, actor, action="retention.let_go", subject=subject, details=details
        )
    return rows


async def _call(session: Session, kind: str, *, before: datetime, batch: int, is_dry: bool) -> int:
    await session.execute(_LIMIT_TIME)
    call = text(f"select let_go_of_{kind}(:before, :batch, :is_dry)")
    values = {"before": before, "batch": batch, "is_dry": is_dry}
    rows: int = (await session.execute(call, values)).scalar_one()
    return rows
