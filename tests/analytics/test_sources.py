"""The warehouse as a source of /v1/reports: as Postgres has them, and Postgres where it is away."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from httpx import AsyncClient

from analytics import reports
from analytics.rows import row_of
from analytics.source import WarehouseReports
from analytics.warehouse import EmbeddedWarehouse, Loader, ServerWarehouse, Warehouse
from api.app import build_app
from referrals.reports.funnel import By
from referrals.reports.published import published_events
from referrals.reports.span import Span
from runtime.settings import Settings
from stack.postgres import PostgresCluster
from tests.activities.queues import MARKETER
from tests.analytics.clickhouse_server import BINARY, chdb_behind_http, installed_server
from tests.builders import unique
from tests.fixtures.api_client import caller
from tests.fixtures.keys import create_key
from tests.played_reports import Played, play

REPORTS = [
    *(f"funnel?by={by}" for by in By), "time-to-conversion?", "cost?", "reversals?",
    "top-referrers?limit=3",
]  # fmt: skip


@pytest.fixture(scope="module")
async def played(postgres: PostgresCluster, template_database: str) -> AsyncIterator[Played]:
    async with play(postgres, template_database) as played:
        yield played


@pytest.fixture(scope="module")
async def rows(played: Played) -> list[dict[str, Any]]:
    pages = [page async for page in published_events(played.database)]
    return [row for page in pages for event in page if (row := row_of(event))]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerWarehouse]:
    engine = EmbeddedWarehouse(tmp_path_factory.mktemp("engine"))
    with chdb_behind_http(engine) as address:
        warehouse = ServerWarehouse(address)
        yield warehouse
        warehouse.close()
    engine.close()


@pytest.fixture(scope="module")
async def readers(
    settings: Settings, played: Played, server: ServerWarehouse, rows: list[dict[str, Any]]
) -> AsyncIterator[dict[str, AsyncClient]]:
    """Call one API without a warehouse, one that reads it, and one whose warehouse is away."""
    load(server, rows)

    def away() -> Warehouse:
        raise ConnectionRefusedError

    async with played.database.transaction() as session:
        key = await create_key(
            session, owner=unique("marketer"), scopes=["reports:read"], actor=MARKETER
        )
    own = settings.model_copy(update={"database_url": played.urls.application})
    sources = {
        "postgres": None,
        "warehouse": WarehouseReports(lambda: server),
        "away": WarehouseReports(away),
    }
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                caller(build_app(own, played.database, warehouse=source), key)
            )
            for name, source in sources.items()
        }


def load(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    with Loader(warehouse, block=7) as loader:
        loader.add(rows)
        loader.add(rows[::2])


@pytest.mark.parametrize("of_one_campaign", [True, False])
@pytest.mark.parametrize("report", REPORTS)
async def test_the_api_answers_the_same_with_a_warehouse_without_one_and_while_it_is_away(
    readers: dict[str, AsyncClient], played: Played, report: str, *, of_one_campaign: bool
) -> None:
    campaign = f"&campaign={played.slug}" if of_one_campaign else ""
    answers = {}
    for name, reader in readers.items():
        answer = await reader.get(f"/v1/reports/{report}{campaign}")
        assert answer.status_code == 200, answer.text
        answers[name] = answer.json()
        # Events say when the service found that a deposit qualifies, hours later here.
        for later in ("median_s", "p90_s"):
            answers[name].pop(later, None)
    assert answers["warehouse"] == answers["postgres"]
    assert answers["away"] == answers["postgres"]


async def test_a_report_of_the_warehouse_asks_postgres_for_nothing(
    server: ServerWarehouse, rows: list[dict[str, Any]], played: Played
) -> None:
    load(server, rows)
    source = WarehouseReports(lambda: server)
    found = await source.load_funnel(Span(campaign=played.slug), by=By.DAY)
    assert found == reports.load_funnel(server, Span(campaign=played.slug), by=By.DAY)
    assert found
    assert await source.load_funnel(Span(campaign=played.slug), by=By.JURISDICTION) is None


def test_a_server_refuses_a_statement_with_clickhouses_own_words(server: ServerWarehouse) -> None:
    with pytest.raises(Exception, match="nothing_like_this"):
        server.select("select nothing_like_this from events", {})


@pytest.mark.skipif(
    shutil.which(BINARY) is None,
    reason="no `clickhouse` is installed: Debian has 18.16, which lacks the types used here",
)
def test_the_same_statements_run_on_a_server_that_is_installed(
    rows: list[dict[str, Any]], server: ServerWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    load(server, rows)
    with installed_server(tmp_path_factory.mktemp("server")) as address:
        installed = ServerWarehouse(address)
        load(installed, rows)
        for by in reports.GROUPS:
            expected = reports.load_funnel(server, Span(), by=by)
            assert reports.load_funnel(installed, Span(), by=by) == expected
        installed.close()
