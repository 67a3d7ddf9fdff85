"""Windows of rate limits: counted in one statement, however many limits and requests there are."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from db.engine import StatementExecutor

PRUNE_BATCH_SIZE: Final = 2500
"""Windows that one pruning removes at most."""

# Windows are written in key order, so that concurrent statements cannot deadlock. The commit waits
# for no flush of the log: a crash of Postgres may forget the hits of its last moment, nothing else.
_COUNT: Final = text("""
    with counted as (
        insert into rate_windows as w (key, hits, ends_at)
        select key, hits, cast(:now as timestamptz) + make_interval(secs => length_s)
        from unnest(cast(:keys as text[]), cast(:hits as integer[]), cast(:lengths as float[]))
            as hit (key, hits, length_s)
        order by key
        on conflict (key) do update set
            hits = case when w.ends_at <= :now then excluded.hits else w.hits + excluded.hits end,
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


@dataclass(frozen=True, slots=True)
class Hits:
    """Windows that one request adds a hit to, and those that it reads without one."""

    lengths: Mapping[str, timedelta]
    """Length of the window of each key that takes a hit."""
    peeks: Collection[str]
    now: datetime


async def count_hits(
    session: StatementExecutor, requests: Sequence[Hits]
) -> list[dict[str, Window]]:
    """Add the hits of requests to their windows; return the windows that each request sees.

    A window that has ended begins again at the latest request's time. Of a window that several
    requests hit, each sees the hits up to its own; without that, the last one in a full window
    would refuse all of them.
    """
    lengths = {key: length for each in requests for key, length in each.lengths.items()}
    hits = Counter(key for each in requests for key in each.lengths)
    values = {
        "keys": list(lengths),
        "hits": [hits[key] for key in lengths],
        "lengths": [length.total_seconds() for length in lengths.values()],
        "peeks": list({key for each in requests for key in each.peeks}),
        "now": max(each.now for each in requests),
    }
    counted: dict[str, Window] = {}
    peeked: dict[str, Window] = {}
    for row in await session.execute(_COUNT, values):
        found = peeked if row.key in counted or row.key not in hits else counted
        found[row.key] = Window(row.hits, row.ends_at)
    return [_seen_by(each, counted, peeked, hits) for each in requests]


def _seen_by(
    request: Hits, counted: Mapping[str, Window], peeked: Mapping[str, Window], later: Counter[str]
) -> dict[str, Window]:
    """Return a request's windows, and take its hits from those that are left for later ones."""
    seen = {key: peeked[key] for key in request.peeks if key in peeked}
    for key in request.lengths:
        later[key] -= 1
        seen[key] = Window(counted[key].hits - later[key], counted[key].ends_at)
    return seen


async def prune(session: StatementExecutor, *, before: datetime) -> None:
    """Remove a batch of the windows that ended before that time."""
    await session.execute(PRUNE, {"before": before, "most": PRUNE_BATCH_SIZE})
