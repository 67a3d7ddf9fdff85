"""The ledger's verification: the newest run of the verifier, which is asked if that is too old."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api.http.authorisation import requires
from api.http.dependencies import Db
from api.http.errors import RETRY_AFTER_S, Problem
from api.v1.schemas.fields import ResponseBody
from db.engine import Database
from db.faults import DATABASE_FAULTS
from referrals.verification import runs
from referrals.verification.lag import Lag, load_lag
from referrals.verification.runs import Mode, StoredRun
from referrals.verification.verify import SENTENCES

MAX_AGE_S: Final = 5
"""Age of a stored run that is served, unless the caller takes an older one."""
RUN_LIMIT_S: Final = 10.0
"""Time that a request waits for a run that it asked for."""
POLL_INTERVAL_S: Final = 0.1

router = APIRouter(
    prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(requires("ledger:read"))]
)
log = structlog.get_logger()


class CheckOut(ResponseBody):
    """An invariant and the rows that break it."""

    name: str
    sentence: str
    ok: bool
    failures: list[str] = Field(description="Ids of rows that break it, at most 20")


class LagOut(ResponseBody):
    """Work that is late, not wrong; counted for each answer."""

    undelivered: int
    unpublished: int
    oldest_s: float = Field(description="Age in seconds of the oldest undelivered fact")
    awaiting_review: int
    overdue: int = Field(description="Open referrals whose deadline has passed, however little")


class RunOut(ResponseBody):
    """The run of `referrals verify` whose checks are shown."""

    mode: Mode = Field(description="`incremental`: what changed since the last green run")
    started_at: datetime
    finished_at: datetime
    age_s: float = Field(description="Seconds since it finished")


class ReportOut(ResponseBody):
    """The result of one verification, and what is late now."""

    ok: bool
    checks: list[CheckOut]
    lag: LagOut
    run: RunOut


MaxAgeQuery = Annotated[
    int,
    Query(
        ge=0,
        le=86_400,
        description="Age in seconds up to which a stored run is served; 0 asks for a new one.",
    ),
]


@router.get("/verify")
async def verify_ledger(
    request: Request, database: Db, max_age_s: MaxAgeQuery = MAX_AGE_S
) -> ReportOut:
    """Show whether the invariants of ledger, stages and attributions hold, and what is late.

    Answers 200 also when `ok` is false; `checks` then names the rows. The checks are those of the
    newest run of `referrals verify`. When that is older than `max_age_s`, the verifier is asked
    for a new one; where it does not answer within ten seconds, the older run is shown with its
    age, or 503 `unavailable` where there is none. Callers who arrive while such a run is under way
    share the next one.
    """
    run, lag = await _newest(database)
    if run is None or run.age_s > max_age_s:
        verifier: CoalescingVerifier = request.app.state.verifier
        if await verifier.run():
            run, lag = await _newest(database)
    if run is None:
        raise Problem(
            "unavailable",
            "No run of `referrals verify` is stored yet, and no verifier answered.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    return ReportOut(
        ok=run.ok,
        checks=_checks(run.failures),
        lag=LagOut.model_validate(lag),
        run=RunOut.model_validate(run),
    )


def _checks(failures: Mapping[str, Sequence[str]]) -> list[CheckOut]:
    """Return the checks in their order; those of another release after them."""
    known = [name for name in SENTENCES if name in failures]
    names = [*known, *sorted(failures.keys() - SENTENCES.keys())]
    return [
        CheckOut(
            name=name,
            sentence=SENTENCES.get(name, ""),
            ok=not failures[name],
            failures=list(failures[name]),
        )
        for name in names
    ]


async def _newest(database: Database) -> tuple[StoredRun | None, Lag]:
    async with database.reading() as session:
        return await runs.newest_run(session), await load_lag(session)


async def ask_verifier(database: Database, *, limit_s: float = RUN_LIMIT_S) -> bool:
    """Ask the verifier for a run and wait for it; False when none was stored in time."""
    try:
        async with database.transaction() as session:
            asked_at = await runs.ask_for_run(session)
        async with asyncio.timeout(limit_s):
            while not await _has_run_since(database, asked_at):  # noqa: ASYNC110 - another process
                await asyncio.sleep(POLL_INTERVAL_S)
    except (TimeoutError, *DATABASE_FAULTS) as fault:
        log.warning("verifier_did_not_answer", error=repr(fault))
        return False
    return True


async def _has_run_since(database: Database, time: datetime) -> bool:
    async with database.reading() as session:
        return await runs.has_run_since(session, time)


class CoalescingVerifier:
    """Coalesces concurrent requests: callers arriving mid-run share the next run.

    The next run starts after they arrived, so it includes their own writes.
    """

    def __init__(self, run: Callable[[], Awaitable[bool]]) -> None:
        self._run = run
        self._current: asyncio.Task[bool] | None = None
        self._next: asyncio.Task[bool] | None = None

    async def run(self) -> bool:
        """Return the result of a run that starts now or later; cancelling it stops no other."""
        if self._next is None:
            self._next = asyncio.create_task(self._run_after(self._current))
        return await asyncio.shield(self._next)

    async def _run_after(self, previous: asyncio.Task[bool] | None) -> bool:
        if previous is not None:
            await asyncio.wait([previous])
        self._current, self._next = self._next, None
        return await self._run()
