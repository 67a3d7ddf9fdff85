"""Cases: doubtful referrals that a reviewer claims, notes on, and decides together."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.schemas.cases import CaseDecisionIn, CaseNoteIn, CaseOut, SecondPersonOut
from api.v1.schemas.fields import Id
from db.engine import ReadSession
from domain.fraud.cases import CaseChoice, CaseStatus
from referrals.fraud.cases import claims, decisions
from referrals.fraud.cases.claims import CaseOutcome
from referrals.fraud.cases.decisions import CaseDecision
from referrals.reporting import case_views

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=StrictRoute)
Reviewer = Annotated[Caller, Depends(requires("reviews:decide"))]

REFUSALS: Final = {
    CaseOutcome.UNKNOWN: "unknown_case",
    CaseOutcome.OWN_REFERRAL: "own_referral",
    CaseOutcome.CLAIMED: "claimed",
    CaseOutcome.ALREADY_DECIDED: "already_decided",
    CaseOutcome.CLOSED: "case_closed",
    CaseOutcome.VERSION_CHANGED: "version_changed",
}
MAX_EXTENSION: Final = timedelta(days=366)
"""Bound of the time by which an extension may postpone a case."""


@router.get("")
async def list_cases(
    part: PageQuery,
    database: Db,
    _: Reviewer,
    now: Now,
    status: CaseStatus | None = None,
    player_id: Annotated[Id | None, Query()] = None,
) -> PageOut[CaseOut]:
    """List cases, newest first; `player_id` is a referrer, a referee, or in the cluster of one."""
    async with database.reading() as session:
        page = await case_views.list_cases(
            session, part, status=status, player_id=player_id, now=now
        )
    return page_out(CaseOut, page)


@router.get("/{case_id}", responses=problem_responses("unknown_case"))
async def show_case(case_id: UUID, database: Db, _: Reviewer, now: Now) -> CaseOut:
    """Return a case with its evidence, its cluster and its notes. 404 `unknown_case`."""
    async with database.reading() as session:
        return await _shown(session, case_id, now=now)


@router.post("/{case_id}/claim", responses=problem_responses(*REFUSALS.values()))
async def claim_case(case_id: UUID, database: Db, reviewer: Reviewer, now: Now) -> CaseOut:
    """Take a case for half an hour; meanwhile nobody else can claim or decide it.

    The same person's next claim makes the lease longer. 404 `unknown_case`; 403 `own_referral`; 409
    `claimed` by somebody else, `already_decided` or `case_closed`.
    """
    async with database.transaction() as session:
        outcome = await claims.claim(session, case_id, reviewer.actor("claimed"), now=now)
        return await _answer(session, case_id, outcome, now=now)


@router.post("/{case_id}/release", responses=problem_responses("unknown_case", "claimed"))
async def release_case(case_id: UUID, database: Db, reviewer: Reviewer, now: Now) -> CaseOut:
    """Give a claimed case back; without a claim nothing changes.

    404 `unknown_case`; 409 `claimed` by somebody else.
    """
    async with database.transaction() as session:
        outcome = await claims.release(session, case_id, reviewer.actor("released"), now=now)
        return await _answer(session, case_id, outcome, now=now)


@router.post(
    "/{case_id}/notes",
    status_code=201,
    responses=problem_responses("unknown_case", "own_referral", *BODY_PROBLEMS),
)
async def add_note(
    case_id: UUID, body: CaseNoteIn, database: Db, reviewer: Reviewer, now: Now
) -> CaseOut:
    """Add a note to a case, decided or not. The same note of the same person is written once.

    404 `unknown_case`; 403 `own_referral`.
    """
    async with database.transaction() as session:
        actor = reviewer.actor("a note")
        outcome = await claims.add_note(session, case_id, body.text, actor, now=now)
        return await _answer(session, case_id, outcome, now=now)


@router.post(
    "/{case_id}/decision",
    response_model=CaseOut,
    responses={
        202: {"model": SecondPersonOut, "description": "A second person has to decide the same"},
        **problem_responses(*REFUSALS.values(), *BODY_PROBLEMS),
    },
)
async def decide_case(  # noqa: PLR0917 - FastAPI passes each by its name
    case_id: UUID,
    body: CaseDecisionIn,
    database: Db,
    config: Config,
    reviewer: Reviewer,
    now: Now,
) -> CaseOut | Response:
    """Approve or reject every reward of a case, or extend the time until it is due.

    An approval or a rejection is final, and the same one again returns the same answer. To reject a
    `late_link` takes back what stands credited (`takes_back`), as after a chargeback; to reject a
    `sample` takes nothing back; both put the players on the deny list. `extend` needs `until`.
    Above REFERRALS_SECOND_PERSON_ABOVE the first approval, or rejection that takes back, is
    answered with 202 `second_person_required`, and counts when a second person repeats it. 404
    `unknown_case`; 403 `own_referral` for a player of the case; 409 `claimed` by somebody else,
    `already_decided`, `case_closed` when events left nothing to decide, or `version_changed` where
    the case is another by now than the `version` that was read.
    """
    decision = CaseDecision(
        choice=body.decision, until=_checked_until(body, now), version=body.version
    )
    async with database.transaction() as session:
        outcome = await decisions.decide(
            session,
            case_id,
            decision,
            reviewer.actor(body.reason),
            limits=config.second_person_limits,
            now=now,
        )
        if outcome is CaseOutcome.SECOND_PERSON_REQUIRED:
            return JSONResponse(SecondPersonOut().model_dump(), status_code=202)
        return await _answer(session, case_id, outcome, now=now)


def _checked_until(body: CaseDecisionIn, now: datetime) -> datetime | None:
    if body.decision is not CaseChoice.EXTEND:
        if body.until is not None:
            raise invalid_field("until", "Only `extend` takes it")
        return None
    if body.until is None:
        raise invalid_field("until", "`extend` needs it")
    if not now < body.until <= now + MAX_EXTENSION:
        raise invalid_field("until", "Must lie in the future, by at most 366 days")
    return body.until


async def _answer(
    session: ReadSession, case_id: UUID, outcome: CaseOutcome, *, now: datetime
) -> CaseOut:
    """Return the case, or raise the refusal."""
    if outcome in REFUSALS:
        raise Problem(REFUSALS[outcome])
    return await _shown(session, case_id, now=now)


async def _shown(session: ReadSession, case_id: UUID, *, now: datetime) -> CaseOut:
    case = await case_views.find_case(session, case_id, now=now)
    if case is None:
        raise Problem("unknown_case")
    return CaseOut.model_validate(case)
