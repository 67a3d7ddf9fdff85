"""Windows of rate limits: counted in one statement, however many limits a request has."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import StatementExecutor

PRUNE_BATCH_SIZE: Final = 2500
"""Windows that one pruning removes at most."""

# Hits are inserted in key order, so that concurrent requests cannot deadlock. The commit waits for
# no flush of the log: a crash of Postgres may forget the hits of its last moment, and nothing else.
_COUNT: Final = text("""
    with counted as (
        insert into rate_windows as w (key, hits, ends_at)
        select key, 1, cast(:now as timestamptz) + make_interval(secs => length_s)
        from unnest(cast(:hits as text[]), cast(:lengths as float[])) as hit (key, length_s)
        order by key
        on conflict (key) do update set
            hits = case when w.ends_at <= :now then 1 else w.hits + 1 end,
            ends_at = case when w.ends_at <= :now then excluded.ends_at else w.ends_at end
        returning key, hits, ends_at
    )
    select key, hits, ends_at from counted
    where (select set_config('synchronous_commit', 'off', true)) = 'off'
    union all
    select key, hits, ends_at from rate_windows where key = any(:peeks) and ends_at > :now
""")
PRUNE: Final = text("""
    delete from rate_windows where key = any(array(
        select key from rate_windows where ends_at < :before limit :most for update skip locked
    ))
""")


@dataclass(frozen=True, slots=True)
class Window:
    hits: int
    ends_at: datetime


async def count_hits(
    session: StatementExecutor,
    hits: Mapping[str, timedelta],
    peeks: Collection[str],
    *,
    now: datetime,
) -> dict[str, Window]:
    """Add a hit to the window of each key, and return these windows and those of `peeks`.

    `hits` has the length of a window by key; a window that has ended begins again at `now`.
    """
    values = {
        "hits": list(hits),
        "lengths": [length.total_seconds() for length in hits.values()],
        "peeks": list(peeks),
        "now": now,
    }
    rows = await session.execute(_COUNT, values)
    return {row.key: Window(row.hits, row.ends_at) for row in rows}


async def prune(session: StatementExecutor, *, before: datetime) -> None:
    """Remove a batch of the windows that ended before that time."""
    await session.execute(PRUNE, {"before": before, "most": PRUNE_BATCH_SIZE})
