"""Standing of a case: what time and events change in it, without any person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db.engine import Session
from db.tables import CaseRow, Review
from domain.fraud.cases import CaseKind, CaseStanding, CaseStatus
from referrals.fraud.cases.store import lock_case, lock_open_reviews, standing_of


async def attend(session: Session, case_id: UUID, *, now: datetime) -> CaseStanding:
    """End a case in which nothing is left to decide, or escalate it when it is due.

    An escalated case stays open for another review period: silence never decides.
    """
    case = await lock_case(session, case_id)
    if case is None:
        raise LookupError(f"no case {case_id} is recorded")
    if case.status == CaseStatus.OPEN and not await settle(session, case) and case.due_at <= now:
        case.escalated_at = now
        case.due_at = now + case.review_period
    return standing_of(case)


async def settle(session: Session, case: CaseRow) -> bool:
    """End a locked open case whose reviews are all decided or closed; return whether it ended."""
    if case.kind is not CaseKind.HELD or await lock_open_reviews(session, case):
        return False
    query = select(Review).where(Review.case_id == case.id, Review.decision.is_not(None))
    decided = (await session.scalars(query.order_by(Review.decided_at, Review.id))).all()
    case.claimed_by = case.claimed_until = None
    if len({review.decision for review in decided}) == 1:
        case.status = CaseStatus.DECIDED
        case.decision = decided[-1].decision
        case.decided_by, case.reason = decided[-1].reviewer, decided[-1].reason
        case.decided_at = decided[-1].decided_at
    else:
        case.status = CaseStatus.CLOSED
    return True
