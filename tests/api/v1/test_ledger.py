"""The ledger's verification: stored runs, runs on request, and what is late at every call."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from httpx import AsyncClient
from sqlalchemy import func, select

from api.v1.ledger import CoalescingVerifier, ask_verifier
from courier import verifier
from db.engine import Database
from db.tables import VerifyRun
from domain.intake.facts import FactKind
from referrals.intake import facts
from referrals.verification.lag import Lag
from referrals.verification.runs import Mode, store_run
from tests import builders
from tests.fixtures.database_activity import recorded_statements
from tests.fixtures.databases import DatabaseUrls

URL: Final = "/v1/ledger/verify"
NEW: Final = f"{URL}?max_age_s=0"
NO_LAG: Final = Lag(undelivered=0, unpublished=0, oldest_s=0, awaiting_review=0)


class Run:
    """A run in place of the scans: ends when the test releases it; only the first returns False."""

    def __init__(self) -> None:
        self.starts = 0
        self.under_way = 0
        self.started = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self) -> bool:
        self.starts += 1
        self.under_way += 1
        assert self.under_way == 1
        self.started.set()
        await self.let_go.wait()
        was_second = self.starts > 1
        self.under_way -= 1
        return was_second


@pytest.fixture
async def _verifier(shared_urls: DatabaseUrls) -> AsyncIterator[None]:
    """Run the verifier, which verifies when it is asked."""
    stopping = asyncio.Event()
    running = asyncio.create_task(
        verifier.run(shared_urls.application, interval_s=3600, stopping=stopping)
    )
    yield
    stopping.set()
    await running


@pytest.mark.usefixtures("_verifier")
async def test_concurrent_callers_share_runs_of_the_verifier_and_none_is_in_the_api(
    client: AsyncClient, database: Database
) -> None:
    await client.get(NEW)
    before = await _number_of_runs(database)
    with recorded_statements(database) as seen:
        answers = await asyncio.gather(*(client.get(NEW) for _ in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert 1 <= await _number_of_runs(database) - before <= 4
    assert not any("isolation level repeatable read" in statement.lower() for statement in seen)


@pytest.mark.usefixtures("_verifier")
async def test_a_caller_may_ask_for_a_run_that_begins_now(client: AsyncClient) -> None:
    first, second = [(await client.get(NEW)).json()["run"] for _ in range(2)]
    assert first["finished_at"] <= second["started_at"]


async def test_a_caller_during_a_run_is_answered_by_the_next_run() -> None:
    run = Run()
    runs = CoalescingVerifier(run)
    first = asyncio.create_task(runs.run())
    await run.started.wait()
    later = [asyncio.create_task(runs.run()) for _ in range(3)]
    run.let_go.set()
    assert not await first
    assert [await task for task in later] == [True] * 3


async def test_a_cancelled_caller_does_not_cancel_a_shared_run() -> None:
    run = Run()
    runs = CoalescingVerifier(run)
    leaving, staying = [asyncio.create_task(runs.run()) for _ in range(2)]
    await run.started.wait()
    leaving.cancel()
    run.let_go.set()
    await staying
    assert run.starts == 1


@pytest.mark.usefixtures("_verifier")
async def test_reports_every_check_of_the_books(client: AsyncClient) -> None:
    report = (await client.get(NEW)).json()
    assert {"ok", "checks", "lag", "run"} == report.keys()
    assert {"undelivered", "unpublished", "oldest_s"} <= report["lag"].keys()
    assert all({"name", "ok", "failures"} <= check.keys() for check in report["checks"])
    assert "conservation" in [check["name"] for check in report["checks"]]


async def test_serves_the_newest_stored_run_with_its_age_and_runs_none(
    client: AsyncClient, database: Database
) -> None:
    await _store(database, {"conservation": ["EUR"], "a_later_releases_check": []})
    before = await _number_of_runs(database)

    report = (await client.get(URL)).json()

    assert not report["ok"]
    assert [(c["name"], c["failures"]) for c in report["checks"]] == [
        ("conservation", ["EUR"]),
        ("a_later_releases_check", []),
    ]
    assert report["run"]["mode"] == "whole"
    assert 0 <= report["run"]["age_s"] < 60
    assert await _number_of_runs(database) == before


async def test_what_is_late_is_counted_at_every_call(
    client: AsyncClient, database: Database
) -> None:
    await _store(database, {"conservation": []})
    before = (await client.get(URL)).json()["lag"]["undelivered"]
    signup = builders.signup()
    async with database.transaction() as session:
        await facts.record_fact(session, signup, player_id=signup.player_id, door="http")
    after = (await client.get(URL)).json()["lag"]["undelivered"]
    assert after == before + 1
    async with database.reading() as session:
        assert await facts.is_recorded(session, FactKind.SIGNUP, signup.event_id)


async def test_where_no_verifier_answers_the_older_run_is_served(database: Database) -> None:
    before = await _number_of_runs(database)
    assert not await ask_verifier(database, limit_s=0.05)
    assert await _number_of_runs(database) == before


async def _store(database: Database, failures: dict[str, list[str]]) -> None:
    async with database.transaction() as session:
        await store_run(
            session,
            mode=Mode.WHOLE,
            started_at=builders.NOW,
            failures=failures,
            lag=NO_LAG,
            position=builders.NOW,
        )


async def _number_of_runs(database: Database) -> int:
    async with database.reading() as session:
        return (await session.execute(select(func.count()).select_from(VerifyRun))).scalar_one()
