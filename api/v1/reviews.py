"""Reviews: held rewards that a person approves or rejects."""

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from api.http.authorisation import Caller, requires
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, page_out
from api.http.strict_json import StrictRoute
from api.v1.schemas.cases import SecondPersonOut
from api.v1.schemas.reviews import DecisionIn, ReviewOut
from domain.intake.facts import Decision
from referrals.fraud import review_views, reviews
from referrals.fraud.reviews import ReviewOutcome

router = APIRouter(prefix="/v1/reviews", tags=["reviews"], route_class=StrictRoute)
Reviewer = Annotated[Caller, Depends(requires("reviews:decide"))]

REFUSALS: Final = {
    ReviewOutcome.UNKNOWN: "unknown_review",
    ReviewOutcome.OWN_REFERRAL: "own_referral",
    ReviewOutcome.CLOSED: "review_closed",
    ReviewOutcome.ALREADY_DECIDED: "already_decided",
    ReviewOutcome.VERSION_CHANGED: "version_changed",
}


class Status(StrEnum):
    """The status of a review."""

    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


@router.get("")
async def list_reviews(
    part: PageQuery, database: Db, _: Reviewer, status: Status | None = None
) -> PageOut[ReviewOut]:
    """List reviews, newest first. `closed`: events made the decision unnecessary."""
    async with database.reading() as session:
        page = await review_views.list_reviews(session, status, part)
    return page_out(ReviewOut, page)


@router.post(
    "/{review_id}/decision",
    response_model=ReviewOut,
    responses={
        202: {"model": SecondPersonOut, "description": "A second person has to approve, too"},
        **problem_responses(*REFUSALS.values(), *BODY_PROBLEMS),
    },
)
async def decide_review(  # noqa: PLR0917 - FastAPI passes each by its name
    review_id: UUID,
    body: DecisionIn,
    database: Db,
    config: Config,
    reviewer: Reviewer,
    now: Now,
) -> ReviewOut | Response:
    """Approve or reject a held reward; the decision is final.

    The same decision again returns the same answer. Above REFERRALS_SECOND_PERSON_ABOVE the first
    approval is answered with 202 `second_person_required`, and counts when a second person
    approves, too. 404 `unknown_review`; 403 `own_referral` for a player of the referral; 409
    `already_decided` for the opposite decision, `review_closed` when events made the review
    unnecessary, `version_changed` where it is another by now than the `version` that was read.
    """
    decision = Decision(
        event_id=f"review:{review_id}",
        occurred_at=now,
        reviewer=reviewer.owner,
        decision=body.decision,
        reason=body.reason,
    )
    async with database.transaction() as session:
        decided = await reviews.decide(
            session,
            review_id=review_id,
            decision=decision,
            request_id=reviewer.request_id,
            limits=config.second_person_limits,
            version=body.version,
        )
        if decided.outcome is ReviewOutcome.SECOND_PERSON_REQUIRED:
            return JSONResponse(SecondPersonOut().model_dump(), status_code=202)
        if decided.review is None or decided.outcome in REFUSALS:
            raise Problem(REFUSALS[decided.outcome])
        return ReviewOut.model_validate(decided.review)
