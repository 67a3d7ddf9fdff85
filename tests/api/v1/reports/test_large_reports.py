"""Tests of reports that read more than can be read in their time."""

import pytest
from sqlalchemy import text

from api.http.errors import Problem
from api.v1.reports.reading import reading
from db.engine import Database
from referrals.reports.snapshots import ReportTooLargeError, report_snapshot

ENDLESS = text("select pg_sleep(600)")


async def test_a_report_that_takes_too_long_is_refused_with_what_to_ask_for(
    database: Database,
) -> None:
    with pytest.raises(Problem) as refused:
        async with reading(database, timeout_s=0.05) as session:
            await session.execute(ENDLESS)
    problem = refused.value
    assert (problem.status_code, problem.code) == (422, "report_too_large")
    assert [(error.field, error.message) for error in problem.errors] == [
        ("from", "Ask for a shorter period, or for one campaign")
    ]


async def test_the_bound_of_a_report_is_nobody_elses(database: Database) -> None:
    with pytest.raises(ReportTooLargeError):
        async with report_snapshot(database, timeout_s=0.05) as session:
            await session.execute(ENDLESS)
    for _ in range(3):
        async with database.reading() as session:
            assert await session.scalar(text("show statement_timeout")) == "8s"
        async with database.snapshot() as session:
            assert await session.scalar(text("show statement_timeout")) == "8s"
