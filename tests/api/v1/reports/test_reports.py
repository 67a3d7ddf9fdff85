"""Reports over a played database: they agree with the ledger to the cent."""

import csv
import io
from datetime import timedelta
from typing import Any, Final

import pytest
from httpx import AsyncClient
from pyarrow import parquet
from sqlalchemy import text

from tests.builders import NOW
from tests.played_reports import LAST_DAY, NEXT_DAY, Played
from tests.state import budget, violated_invariants

REPORTS: Final = (
    "funnel", "time-to-conversion", "fraud", "reversals", "cost", "top-referrers", "budgets",
)  # fmt: skip
BY: Final = (
    "day", "week", "campaign", "version", "channel", "platform", "jurisdiction", "variant",
    "cohort",
)  # fmt: skip
COUNTS: Final = (
    "shares", "clicks", "invitations", "signups", "qualified", "rewarded", "reversed",
)  # fmt: skip


async def test_counts_each_thing_at_its_own_time(reader: AsyncClient, played: Played) -> None:
    report = await report_of(reader, "funnel", campaign=played.slug)

    assert [row["day"] for row in report["rows"]] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    first, second, third = report["rows"]
    assert {name: first[name] for name in COUNTS} == {
        "shares": 2, "clicks": 0, "invitations": 7, "signups": 7, "qualified": 6, "rewarded": 6,
        "reversed": 0,
    }  # fmt: skip
    assert (second["reversed"], third["reversed"]) == (4, 0)
    assert [row["cost"] for row in report["rows"]] == [
        [{"minor": 6000, "currency": "USD"}],
        [{"minor": -4000, "currency": "USD"}],
        [{"minor": 2000, "currency": "USD"}],
    ]


@pytest.mark.parametrize("by", BY)
async def test_every_grouping_has_the_same_sums(
    reader: AsyncClient, played: Played, by: str
) -> None:
    rows = (await report_of(reader, "funnel", campaign=played.slug, by=by))["rows"]

    assert all(by in row for row in rows)
    sums = {name: sum(row[name] for row in rows) for name in COUNTS}
    assert sums == {
        "shares": 2, "clicks": 0, "invitations": 7, "signups": 7, "qualified": 6, "rewarded": 6,
        "reversed": 4,
    }  # fmt: skip
    assert sum(each["minor"] for row in rows for each in row["cost"]) == 4000


async def test_groups_by_what_is_known_of_a_referral(reader: AsyncClient, played: Played) -> None:
    for by, group in (("jurisdiction", "US-NJ"), ("platform", "web"), ("version", 1)):
        rows = (await report_of(reader, "funnel", campaign=played.slug, by=by))["rows"]
        of_group = next(row for row in rows if row[by] == group)
        assert of_group["signups"] == 7
        assert of_group["cost"] == [{"minor": 4000, "currency": "USD"}]
        assert [row["shares"] for row in rows if row[by] is None] == [2]


async def test_the_cost_is_what_has_left_the_campaign_in_the_ledger(
    reader: AsyncClient, played: Played
) -> None:
    assert await violated_invariants(played.database, as_of=LAST_DAY) == {}
    async with played.database.reading() as session:
        books = await session.execute(
            text("""
                select accounts.book, sum(entries.amount_minor) as minor
                  from entries
                  join accounts on accounts.id = entries.account_id
                  join transfers on transfers.id = entries.transfer_id
                 where transfers.campaign_id = :campaign_id group by 1
            """),
            {"campaign_id": played.spring.offer.campaign.id},
        )
        minor = {row.book: int(row.minor) for row in books}

    cost = await report_of(reader, "cost", campaign=played.slug)

    in_the_campaign = minor["campaign"] + minor["held"] + minor["recoverable"]
    assert cost["cost"] == [{"minor": -minor["funding"] - in_the_campaign, "currency": "USD"}]
    assert cost["new_depositors"] == 6


async def test_a_budget_is_what_is_spent_held_and_free(reader: AsyncClient, played: Played) -> None:
    rows = (await report_of(reader, "budgets"))["rows"]

    for row in rows:
        parts = sum(row[name]["minor"] for name in ("spent", "held", "free"))
        assert row["budget"]["minor"] == parts
    spring = next(row for row in rows if row["campaign"] == played.slug)
    assert spring["free"]["minor"] == await budget(played.database, played.spring.offer.campaign.id)
    assert (spring["spent"]["minor"], spring["owed"]["minor"]) == (4000, 0)
    held = next(row for row in rows if row["campaign"] == played.held.offer.campaign.slug)
    assert (held["spent"]["minor"], held["held"]["minor"]) == (0, 1000)


async def test_forecasts_when_a_budget_is_exhausted(reader: AsyncClient, played: Played) -> None:
    pace = {"from": NOW.isoformat(), "to": (NOW + timedelta(days=4)).isoformat()}

    (spring,) = (await report_of(reader, "budgets", campaign=played.slug, **pace))["rows"]

    assert spring["per_day"] == {"minor": 1000, "currency": "USD"}
    assert spring["exhausted_at"] is not None


async def test_figures_of_conversions_fraud_and_reversals(
    reader: AsyncClient, played: Played
) -> None:
    converted = await report_of(reader, "time-to-conversion", campaign=played.slug)
    fraud = await report_of(reader, "fraud", campaign=played.slug)
    reversals = await report_of(reader, "reversals", campaign=played.slug)

    assert (converted["median_s"], converted["p90_s"]) == (3600.0, 3600.0)
    assert sum(bucket["conversions"] for bucket in converted["distribution"]) == 6
    assert fraud == {"assessed": 6, "held": 0, "blocked": 0, "approved": 0, "rejected": 0}
    assert reversals == {
        "rewarded": 6,
        "reversed": 4,
        "amount": [{"minor": 4000, "currency": "USD"}],
        "reinstated": [{"minor": 2000, "currency": "USD"}],
    }


async def test_lists_the_referrers_with_the_most_rewards_first(
    reader: AsyncClient, played: Played
) -> None:
    rows = (await report_of(reader, "top-referrers", campaign=played.slug))["rows"]

    assert [row["rewarded"] for row in rows] == [2, 1, 1, 1, 1]
    assert len((await report_of(reader, "top-referrers", limit="1"))["rows"]) == 1


@pytest.mark.parametrize("name", REPORTS)
async def test_a_time_is_inclusive_at_its_start_and_exclusive_at_its_end(
    reader: AsyncClient, played: Played, name: str
) -> None:
    of_two_days = await report_of(
        reader, name, campaign=played.slug, **{"from": NOW.isoformat(), "to": LAST_DAY.isoformat()}
    )
    assert of_two_days
    if name == "reversals":
        exact = {"from": NEXT_DAY.isoformat(), "to": LAST_DAY.isoformat()}
        found = await report_of(reader, name, campaign=played.slug, **exact)
        assert (found["reversed"], found["reinstated"][0]["minor"]) == (4, 0)
        before = await report_of(reader, name, campaign=played.slug, to=NEXT_DAY.isoformat())
        assert before["reversed"] == 0


@pytest.mark.parametrize("name", REPORTS)
async def test_the_same_numbers_as_csv_and_parquet(
    reader: AsyncClient, played: Played, name: str
) -> None:
    as_csv = await reader.get(f"/v1/reports/{name}?format=csv&campaign={played.slug}")
    as_parquet = await reader.get(f"/v1/reports/{name}?format=parquet&campaign={played.slug}")

    assert (as_csv.status_code, as_parquet.status_code) == (200, 200)
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    table = parquet.read_table(io.BytesIO(as_parquet.content))
    assert table.column_names == list(rows[0])
    shown = [{name: _cell(value) for name, value in row.items()} for row in table.to_pylist()]
    assert shown == rows


async def test_no_cell_of_a_csv_is_one_that_a_spreadsheet_runs(
    reader: AsyncClient, played: Played
) -> None:
    answer = await reader.get(f"/v1/reports/funnel?format=csv&by=channel&campaign={played.slug}")

    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert any(cell.startswith("'=hyperlink") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"),
        ("from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z", "to"),
        ("from=2026-03-01", "from"),
        ("from=yesterday", "from"),
        ("to=2026-03-01T00:00:00", "to"),
        ("format=xlsx", "format"),
        ("by=month", "by"),
        ("campaign=No%20Slug", "campaign"),
        ("colour=red", "colour"),
    ],
)
async def test_refuses_what_makes_no_sense_and_names_the_field(
    reader: AsyncClient, query: str, field: str
) -> None:
    answer = await reader.get(f"/v1/reports/funnel?{query}")

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_refuses_a_campaign_that_does_not_exist(reader: AsyncClient) -> None:
    answer = await reader.get("/v1/reports/cost?campaign=nobodys")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_campaign")


@pytest.mark.parametrize("name", REPORTS)
async def test_an_empty_time_is_an_empty_report(reader: AsyncClient, name: str) -> None:
    span = {"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"}

    report = await report_of(reader, name, **span)
    table = await reader.get(f"/v1/reports/{name}", params=span | {"format": "csv"})

    assert report.get("rows", []) == [] or name == "budgets"
    assert table.status_code == 200


def _cell(value: object) -> str:
    return "" if value is None else str(value)


async def report_of(reader: AsyncClient, name: str, **query: str) -> Any:  # noqa: ANN401 - JSON
    answer = await reader.get(f"/v1/reports/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
