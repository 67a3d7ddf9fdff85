"""The warehouse over the events of a played database: the same reports as from Postgres."""

import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from analytics import reports
from analytics.rows import row_of
from analytics.warehouse import EmbeddedWarehouse, Loader
from referrals.reports import figures, funnel
from referrals.reports.funnel import By
from referrals.reports.published import published_events
from referrals.reports.span import Span
from stack.postgres import PostgresCluster
from tests.played_reports import LAST_DAY, NEXT_DAY, Played, play

SPANS = ["everything", "one campaign", "one day"]


@pytest.fixture(scope="module")
async def played(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Played]:
    async with play(postgres, template_database) as played:
        yield played


@pytest.fixture(scope="module")
async def events(played: Played) -> list[dict[str, Any]]:
    return [event async for page in published_events(played.database) for event in page]


@pytest.fixture(scope="module")
def warehouse(
    events: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedWarehouse]:
    """Load every event, late and out of order, and then some of them again."""
    warehouse = EmbeddedWarehouse(tmp_path_factory.mktemp("warehouse"))
    rows = [row for event in events if (row := row_of(event))]
    random.Random(7).shuffle(rows)  # noqa: S311 - the same order in every run
    with Loader(warehouse, block=7) as loader:
        loader.add(rows)
        loader.add(rows[::2])
    assert loader.loaded == len(rows) + len(rows[::2])
    yield warehouse
    warehouse.close()


def span_of(played: Played, name: str) -> Span:
    if name == "everything":
        return Span()
    if name == "one campaign":
        return Span(campaign=played.slug)
    return Span(since=NEXT_DAY, until=LAST_DAY)


@pytest.mark.parametrize("name", SPANS)
@pytest.mark.parametrize("by", list(reports.GROUPS))
async def test_has_the_funnel_of_postgres(
    played: Played, warehouse: EmbeddedWarehouse, by: By, name: str
) -> None:
    span = span_of(played, name)
    async with played.database.reading() as session:
        of_postgres = await funnel.load_funnel(session, span, by=by)

    found = reports.load_funnel(warehouse, span, by=by)

    assert found == of_postgres


async def test_days_and_weeks_are_those_of_the_campaigns_zone(
    played: Played, warehouse: EmbeddedWarehouse
) -> None:
    span = Span(campaign=played.slug, zone="Pacific/Kiritimati")
    async with played.database.reading() as session:
        by_day = await funnel.load_funnel(session, span, by=By.DAY)
        by_week = await funnel.load_funnel(session, span, by=By.WEEK)

    # Noon of Sunday the 1st is two o'clock of Monday there.
    assert [row.group for row in by_day] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [row.group for row in by_week] == ["2026-03-02"]
    assert reports.load_funnel(warehouse, span, by=By.DAY) == by_day
    assert reports.load_funnel(warehouse, span, by=By.WEEK) == by_week


@pytest.mark.parametrize("name", SPANS)
async def test_has_the_money_of_the_ledger(
    played: Played, warehouse: EmbeddedWarehouse, name: str
) -> None:
    span = span_of(played, name)
    async with played.database.reading() as session:
        cost = await figures.load_cost(session, span)
        reversals = await figures.load_reversals(session, span)
        top = await figures.load_top_referrers(session, span, limit=3)
        speed = await figures.load_time_to_conversion(session, span)

    assert reports.load_cost(warehouse, span) == cost
    assert reports.load_reversals(warehouse, span) == reversals
    assert reports.load_top_referrers(warehouse, span, limit=3) == top
    found = reports.load_time_to_conversion(warehouse, span)
    # Events say when the service found that a deposit qualifies, which is hours later here.
    assert (found.conversions, found.distribution) == (speed.conversions, speed.distribution)
    assert (found.median_s or 0) >= (speed.median_s or 0)


def test_leaves_out_what_no_report_counts() -> None:
    assert row_of({"type": "BudgetAlert", "event_id": "e", "campaign": "spring"}) is None
    assert row_of({"type": "InventedLater", "event_id": "e"}) is None
