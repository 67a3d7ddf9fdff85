"""The ledger, verified on request."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from api.http.authorisation import requires
from api.v1.schemas.fields import ResponseBody
from referrals.verification.verify import VerificationReport

router = APIRouter(
    prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(requires("ledger:read"))]
)


class CheckOut(ResponseBody):
    """An invariant and the rows that break it."""

    name: str
    sentence: str
    ok: bool
    failures: list[str] = Field(description="Ids of rows that break it, at most 20")


class LagOut(ResponseBody):
    """Work that is late, not wrong."""

    undelivered: int
    unpublished: int
    oldest_s: float = Field(description="Age in seconds of the oldest undelivered fact")
    awaiting_review: int


class ReportOut(ResponseBody):
    """The result of one verification."""

    ok: bool
    checks: list[CheckOut]
    lag: LagOut


@router.get("/verify")
async def verify_ledger(request: Request) -> ReportOut:
    """Check every invariant of ledger, stages and attributions over one database snapshot.

    Answers 200 also when `ok` is false; `checks` then names the rows. What is only late is reported
    as `lag` and does not fail a check. The call reads whole tables; callers that arrive while a
    verification runs share the next one.
    """
    verifier: CoalescingVerifier = request.app.state.verifier
    return ReportOut.model_validate(await verifier.report())


class CoalescingVerifier:
    """Coalesces concurrent requests: callers arriving mid-run share the next run.

    The next run starts after they arrived, so it includes their own writes.
    """

    def __init__(self, run: Callable[[], Awaitable[VerificationReport]]) -> None:
        self._run = run
        self._current: asyncio.Task[VerificationReport] | None = None
        self._next: asyncio.Task[VerificationReport] | None = None

    async def report(self) -> VerificationReport:
        """Return the report of a run that starts now or later; cancelling it stops no other."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._current))
        return await asyncio.shield(self._next)

    async def _run_after(
        self, previous: asyncio.Task[VerificationReport] | None
    ) -> VerificationReport:
        if previous is not None:
            await asyncio.wait([previous])
        self._current, self._next = self._next, None
        return await self._run()
