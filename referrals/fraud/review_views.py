"""Views of reviews, each with its pair, its campaign and the evidence to judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import AssessmentRow, ReferralRow, Review
from domain.intake.facts import Choice
from domain.money import Money
from referrals.fraud.cases.versions import version_of_review
from referrals.lifecycle.stages import terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    review_id: UUID
    version: str
    referral_id: UUID
    referrer_id: str
    referee_id: str | None
    campaign: str
    attempt: int
    round: int
    status: str
    score: int
    reasons: tuple[str, ...]
    assessment_id: UUID | None
    evidence: dict[str, Any] | None
    """Counts and flags that the assessment judged; no personal data."""
    amount: Money
    opened_at: datetime
    due_at: datetime
    """End of the review period, which begins again when the review is escalated."""
    escalated_at: datetime | None
    decision: Choice | None
    reviewer: str | None
    reason: str | None
    decided_at: datetime | None


async def list_reviews(
    session: ReadSession, status: str | None, page_request: PageRequest
) -> Page[ReviewView]:
    query: Any = _reviews()  # paging knows no types of three columns
    if status is not None:
        query = query.where(Review.status == status)
    query = paging.newest_first(query, page_request, at=Review.opened_at, id_=Review.id)
    rows: Sequence[Any] = (await session.execute(query)).all()
    page = paging.cut_page(rows, page_request, _position)
    return page.map(lambda items: [_view(row) for row in items])


async def find_review_view(session: ReadSession, review_id: UUID) -> ReviewView | None:
    query = _reviews().where(Review.id == review_id).execution_options(populate_existing=True)
    row = (await session.execute(query)).one_or_none()
    return _view(row) if row else None


async def decided_reviews(
    session: ReadSession, referral_id: UUID, *, limit: int
) -> list[ReviewView]:
    """Return the reviews of a referral that a person decided, in their order."""
    query = _reviews().where(Review.referral_id == referral_id, Review.decision.is_not(None))
    rows = await session.execute(query.order_by(Review.round).limit(limit))
    return [_view(row) for row in rows]


def _reviews() -> Select[Review, ReferralRow, AssessmentRow]:
    # Release 0.2 named no assessment in its reviews; the referral's latest one is theirs.
    assessment_id = func.coalesce(Review.assessment_id, ReferralRow.assessment_id)
    return (
        select(Review, ReferralRow, AssessmentRow)
        .join(ReferralRow, ReferralRow.id == Review.referral_id)
        .outerjoin(AssessmentRow, AssessmentRow.id == assessment_id)
    )


def _position(row: Row[Review, ReferralRow, AssessmentRow]) -> Position:
    return Position(row[0].opened_at, row[0].id)


def _view(row: Row[Review, ReferralRow, AssessmentRow]) -> ReviewView:
    review, referral, assessment = row
    return ReviewView(
        review_id=review.id,
        version=version_of_review(review, assessment.id if assessment else None),
        referral_id=review.referral_id,
        referrer_id=referral.referrer_id,
        referee_id=referral.referee_id,
        campaign=referral.campaign_slug,
        attempt=review.attempt,
        round=review.round,
        status=review.status,
        score=review.score,
        reasons=tuple(review.reasons),
        assessment_id=assessment.id if assessment else None,
        evidence=assessment.evidence if assessment else None,
        amount=Money(review.amount_minor, review.currency),
        opened_at=review.opened_at,
        due_at=(review.escalated_at or review.opened_at) + terms_of(referral).review_period,
        escalated_at=review.escalated_at,
        decision=review.decision,
        reviewer=review.reviewer,
        reason=review.reason,
        decided_at=review.decided_at,
    )
