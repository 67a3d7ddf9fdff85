"""`referrals reports-bench`: load rate and reports of the embedded warehouse, over many events."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from uuid import UUID

from rich.console import Console
from rich.table import Table

from analytics import reports
from analytics.rows import row_of
from analytics.warehouse import MERGE, EmbeddedWarehouse, Loader, Warehouse, line_of
from referrals.reports.span import Span

LOAD_TARGET_PER_S: Final = 20_000
REPORT_TARGET_S: Final = 1.0
PAGE: Final = 20_000
"""Events of one block, as many as the consumer inserts at once."""
ROUNDS: Final = 3
"""Runs of each report, of which the median counts."""
BEGINS_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)
DAYS: Final = 90
CAMPAIGNS: Final = 20
REFERRERS: Final = 100_000
REWARD: Final = [{"amount": {"minor": 1000, "currency": "USD"}, "status": "ISSUED"}]


def main(events: int) -> int:
    """Return 1 when the load is too slow or a report too late, otherwise 0."""
    console = Console()
    with TemporaryDirectory() as folder:
        warehouse = EmbeddedWarehouse(Path(folder) / "warehouse")
        load, bare = _load(warehouse, events)
        measured = {name: _median(run) for name, run in _reports(warehouse).items()}
        warehouse.close()
    rate = events / load.wall_s
    table = Table("what", "measured", "target", "CPU of all threads")
    target = f"{LOAD_TARGET_PER_S:,}/s"
    table.add_row(f"load {events:,} events", f"{rate:,.0f}/s", target, f"{load.cpu_s:.1f} s")
    inserts = f"{events / bare.wall_s:,.0f}/s", f"{bare.wall_s / load.wall_s:.0%} of the load"
    table.add_row("of it, inserts alone", *inserts, f"{bare.cpu_s:.1f} s")
    for name, taken in measured.items():
        shown = f"{taken.wall_s:.2f} s", f"{REPORT_TARGET_S:.2f} s", f"{taken.cpu_s:.2f} s"
        table.add_row(name, *shown)
    console.print(table)
    latest_s = max(taken.wall_s for taken in measured.values())
    return 0 if rate >= LOAD_TARGET_PER_S and latest_s < REPORT_TARGET_S else 1


class Taken(NamedTuple):
    wall_s: float
    cpu_s: float


class _Watch:
    """A stopwatch of this process."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def read(self) -> Taken:
        return Taken(time.perf_counter() - self._wall_s, time.process_time() - self._cpu_s)


def _load(warehouse: Warehouse, events: int) -> tuple[Taken, Taken]:
    """Load made-up events and merge them as `warehouse backfill` does; making them is not counted.

    The second time is that of the inserts alone, into another table and block by block between
    those of the load: what ClickHouse takes of it, with whatever else the machine was doing.
    """
    warehouse.run("create table bare as events")
    made, loads, inserts = make_events(events, seed=1), [], []
    with Loader(warehouse) as loader:
        while page := list(islice(made, PAGE)):
            rows = [row for event in page if (row := row_of(event))]
            lines = "\n".join(map(line_of, rows))
            loads.append(_taken(lambda page=page: _add(loader, page)))  # type: ignore[misc]
            inserts.append(_taken(lambda lines=lines: warehouse.insert(lines, table="bare")))  # type: ignore[misc]
    warehouse.run("drop table bare")
    loads.append(_taken(lambda: warehouse.run(MERGE)))
    return _sum(loads), _sum(inserts)


def _add(loader: Loader, page: Sequence[Mapping[str, Any]]) -> None:
    loader.add([row for event in page if (row := row_of(event))])
    loader.flush()


def _taken(act: Callable[[], object]) -> Taken:
    watch = _Watch()
    act()
    return watch.read()


def _sum(parts: Sequence[Taken]) -> Taken:
    return Taken(sum(part.wall_s for part in parts), sum(part.cpu_s for part in parts))


def _reports(warehouse: Warehouse) -> dict[str, Callable[[], object]]:
    whole = Span()
    funnels: dict[str, Callable[[], object]] = {
        f"funnel by {by}": lambda by=by: reports.load_funnel(warehouse, whole, by=by)  # type: ignore[misc]
        for by in reports.GROUPS
    }
    return {
        **funnels,
        "time-to-conversion": lambda: reports.load_time_to_conversion(warehouse, whole),
        "cost": lambda: reports.load_cost(warehouse, whole),
        "reversals": lambda: reports.load_reversals(warehouse, whole),
        "top-referrers": lambda: reports.load_top_referrers(warehouse, whole, limit=50),
    }


def _median(run: Callable[[], object]) -> Taken:
    return sorted(_taken(run) for _ in range(ROUNDS))[ROUNDS // 2]


def make_events(number: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """Yield events as the outbox publishes them, of referrals over three months."""
    rng = Random(seed)  # noqa: S311 - a load that can be repeated
    return islice(_events(rng), number)


def _events(rng: Random) -> Iterator[dict[str, Any]]:
    while True:
        at = BEGINS_AT + timedelta(seconds=rng.randrange(DAYS * 86_400))
        referral = {
            "campaign": f"campaign-{rng.randrange(CAMPAIGNS)}",
            "campaign_version": 1 + rng.randrange(3),
            "referral_id": _uuid(rng),
            "referrer_id": f"player-{rng.randrange(REFERRERS)}",
        }
        yield _event(rng, referral, "CodeClicked", at)
        yield _event(rng, referral, "ReferralInvited", at)
        if rng.random() < 0.6:
            yield _event(rng, referral, "ReferralSignedUp", at + timedelta(hours=2))
        if rng.random() < 0.4:
            met_at = at + timedelta(hours=rng.randrange(3, 90))
            yield _event(rng, referral, "ReferralQualified", met_at)
            yield _event(rng, referral, "RewardGranted", met_at) | {"rewards": REWARD}
            if rng.random() < 0.1:
                later = met_at + timedelta(days=4)
                yield _event(rng, referral, "RewardReversed", later) | {"rewards": REWARD}


def _event(rng: Random, referral: dict[str, Any], type_: str, at: datetime) -> dict[str, Any]:
    return {"event_id": _uuid(rng), "type": type_, "occurred_at": at.isoformat(), **referral}


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128)))
