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
    select true as is_counted, key, hits, ends_at from counted
    where (select set_config('synchronous_commit', 'off', true)) = 'off'
    union all
    select false, key, hits, ends_at from rate_windows
    where key = any(:peeks) and ends_at > :now
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
class WindowRequest:
    """The windows of one request: those that it adds a hit to, and those that it only reads."""

    lengths: Mapping[str, timedelta]
    """Length of the window of each key that takes a hit."""
    peeks: Collection[str]
    now: datetime


async def count_hits(
    session: StatementExecutor, requests: Sequence[WindowRequest]
) -> list[dict[str, Window]]:
    """Add the requests' hits; return for each request its windows by key.

    A window that is only read and is unknown, or has ended, is left out. Of a shared window each
    request sees the count up to its own hit: if all saw the total, a batch that crosses the limit
    would be refused as a whole. A window that has ended begins again at the latest `now`.
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
    rows = (await session.execute(_COUNT, values)).all()
    counted = {row.key: Window(row.hits, row.ends_at) for row in rows if row.is_counted}
    peeked = {row.key: Window(row.hits, row.ends_at) for row in rows if not row.is_counted}
    seen = []
    for request in requests:
        hits.subtract(request.lengths.keys())
        seen.append(_windows_of(request, counted, peeked, later_hits=hits))
    return seen


def _windows_of(
    request: WindowRequest,
    counted: Mapping[str, Window],
    peeked: Mapping[str, Window],
    *,
    later_hits: Mapping[str, int],
) -> dict[str, Window]:
    """Return what a request sees: its hits without those of the requests behind it."""
    seen = {key: peeked[key] for key in request.peeks if key in peeked}
    for key in request.lengths:
        window = counted[key]
        seen[key] = Window(window.hits - later_hits[key], window.ends_at)
    return seen


async def prune(session: StatementExecutor, *, before: datetime) -> None:
    """Remove a batch of the windows that ended before that time."""
    await session.execute(PRUNE, {"before": before, "most": PRUNE_BATCH_SIZE})
