"""Views of reviews."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db import paging
from db.engine import ReadSession
from db.paging import Page, PageRequest, Position
from db.tables import Review
from domain.intake.facts import Choice
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    review_id: UUID
    referral_id: UUID
    status: str
    score: int
    reasons: tuple[str, ...]
    amount: Money
    opened_at: datetime
    escalated_at: datetime | None
    decision: Choice | None
    reviewer: str | None
    reason: str | None
    decided_at: datetime | None


async def list_reviews(
    session: ReadSession, status: str | None, page_request: PageRequest
) -> Page[ReviewView]:
    query = select(Review)
    if status is not None:
        query = query.where(Review.status == status)
    query = paging.newest_first(query, page_request, at=Review.opened_at, id_=Review.id)
    rows = (await session.scalars(query)).all()
    page = paging.cut_page(rows, page_request, lambda row: Position(row.opened_at, row.id))
    return page.map(lambda items: [review_view(row) for row in items])


def review_view(row: Review) -> ReviewView:
    return ReviewView(
        review_id=row.id,
        referral_id=row.referral_id,
        status=row.status,
        score=row.score,
        reasons=tuple(row.reasons),
        amount=Money(row.amount_minor, row.currency),
        opened_at=row.opened_at,
        escalated_at=row.escalated_at,
        decision=row.decision,
        reviewer=row.reviewer,
        reason=row.reason,
        decided_at=row.decided_at,
    )
