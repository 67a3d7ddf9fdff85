"""Reviews: doubts that a person settles."""

from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends

from api.http.dependencies import Caller, Db, Now, requires
from api.http.errors import Problem
from api.http.openapi import BODY_PROBLEMS, problem_responses
from api.http.paging import PageOut, PageQuery, encode_position
from api.http.strict_json import StrictRoute
from api.v1.schemas.reviews import DecisionIn, ReviewOut
from domain.intake.facts import Decision
from referrals.fraud import review_views, reviews
from referrals.fraud.reviews import ReviewOutcome

router = APIRouter(prefix="/v1/reviews", tags=["reviews"], route_class=StrictRoute)
Reviewer = Annotated[Caller, Depends(requires("reviews:decide"))]

REFUSALS: Final = {
    ReviewOutcome.UNKNOWN: "unknown_review",
    ReviewOutcome.CLOSED: "review_closed",
    ReviewOutcome.ALREADY_DECIDED: "already_decided",
}


class Status(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


@router.get("")
async def list_reviews(
    part: PageQuery, database: Db, _: Reviewer, status: Status | None = None
) -> PageOut[ReviewOut]:
    """Newest first. `closed` are those that events overtook before anybody decided."""
    async with database.reading() as session:
        page = await review_views.list_reviews(session, status, part)
    items = [ReviewOut.model_validate(view) for view in page.items]
    return PageOut(items=items, next_cursor=encode_position(page.next_position))


@router.post(
    "/{review_id}/decision",
    responses=problem_responses(*REFUSALS.values(), *BODY_PROBLEMS),
)
async def decide_review(
    review_id: UUID, body: DecisionIn, database: Db, reviewer: Reviewer, now: Now
) -> ReviewOut:
    """Approve or reject a held reward, once; the same decision again answers the same."""
    decision = Decision(
        event_id=f"review:{review_id}",
        occurred_at=now,
        reviewer=reviewer.owner,
        decision=body.decision,
        reason=body.reason,
    )
    async with database.transaction() as session:
        decided = await reviews.decide(
            session, review_id=review_id, decision=decision, request_id=reviewer.request_id
        )
        if decided.review is None or decided.outcome in REFUSALS:
            raise Problem(REFUSALS[decided.outcome])
        return ReviewOut.model_validate(decided.review)
