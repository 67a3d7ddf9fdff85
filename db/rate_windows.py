"""Windows of rate limits: counted in one statement, however many limits a request has."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import StatementExecutor

PRUNE_BATCH_SIZE: Final = 2500

# In the order of the keys, so that two requests never wait for each other in a circle.
_COUNT: Final = text("""
    with counted as (
        insert into rate_windows as w (key, hits, ends_at)
        select key, 1, cast(:now as timestamptz) + make_interval(secs => lasting_s)
        from unnest(cast(:hits as text[]), cast(:lasting as float[])) as hit (key, lasting_s)
        order by key
        on conflict (key) do update set
            hits = case when w.ends_at <= :now then 1 else w.hits + 1 end,
            ends_at = case when w.ends_at <= :now then excluded.ends_at else w.ends_at end
        returning key, hits, ends_at
    )
    select key, hits, ends_at from counted
    union all
    select key, hits, ends_at from rate_windows where key = any(:looks) and ends_at > :now
""")
_PRUNE: Final = text("""
    delete from rate_windows where key in (
        select key from rate_windows where ends_at < :before limit :most for update skip locked
    )
""")


@dataclass(frozen=True, slots=True)
class Window:
    hits: int
    ends_at: datetime


async def count(
    session: StatementExecutor,
    hits: Mapping[str, timedelta],
    looks: Collection[str],
    *,
    now: datetime,
) -> dict[str, Window]:
    """Count a hit on each key, whose window lasts so long; `looks` are only looked up."""
    values = {
        "hits": list(hits),
        "lasting": [lasting.total_seconds() for lasting in hits.values()],
        "looks": list(looks),
        "now": now,
    }
    rows = await session.execute(_COUNT, values)
    return {row.key: Window(row.hits, row.ends_at) for row in rows}


async def forget(session: StatementExecutor, *, before: datetime) -> None:
    """Remove some windows that ended before."""
    await session.execute(_PRUNE, {"before": before, "most": PRUNE_BATCH_SIZE})
