"""Verification runs: one at a time, shared by concurrent callers."""

import asyncio

from httpx import AsyncClient

from api.v1.ledger import CoalescingVerifier
from db.engine import Database
from referrals.verification.verify import Lag, VerificationReport
from tests.fixtures.database_activity import recorded_statements

URL = "/v1/ledger/verify"


class Run:
    """A run in place of the scans: counts its starts, and ends when the test releases it."""

    def __init__(self) -> None:
        self.starts = 0
        self.under_way = 0
        self.started = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self) -> VerificationReport:
        self.starts += 1
        self.under_way += 1
        assert self.under_way == 1
        self.started.set()
        await self.let_go.wait()
        self.under_way -= 1
        return VerificationReport(
            (), Lag(undelivered=self.starts, unpublished=0, oldest_s=0, awaiting_review=0)
        )


async def test_concurrent_callers_share_the_scans(client: AsyncClient, database: Database) -> None:
    with recorded_statements(database) as seen:
        answers = await asyncio.gather(*(client.get(URL) for _ in range(10)))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert sum("ISOLATION LEVEL REPEATABLE READ" in statement for statement in seen) <= 2


async def test_a_caller_during_a_run_is_answered_by_the_next_run() -> None:
    run = Run()
    verifier = CoalescingVerifier(run)
    first = asyncio.create_task(verifier.report())
    await run.started.wait()
    later = [asyncio.create_task(verifier.report()) for _ in range(3)]
    run.let_go.set()
    assert (await first).lag.undelivered == 1
    assert [(await task).lag.undelivered for task in later] == [2, 2, 2]


async def test_a_cancelled_caller_does_not_cancel_a_shared_run() -> None:
    run = Run()
    verifier = CoalescingVerifier(run)
    leaving, staying = [asyncio.create_task(verifier.report()) for _ in range(2)]
    await run.started.wait()
    leaving.cancel()
    run.let_go.set()
    assert (await staying).lag.undelivered == 1


async def test_reports_every_check_of_the_books(client: AsyncClient) -> None:
    report = (await client.get("/v1/ledger/verify")).json()
    assert {"ok", "checks", "lag"} == report.keys()
    assert {"undelivered", "unpublished", "oldest_s"} <= report["lag"].keys()
    assert all({"name", "ok", "failures"} <= check.keys() for check in report["checks"])
