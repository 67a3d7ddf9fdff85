"""Reviews: opened for a doubtful referral, decided once by a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import Update, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import ReferralRow, Review
from domain.intake.facts import Decision
from domain.money import Money
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.review_views import ReviewView, review_view
from referrals.intake import facts
from referrals.intake.facts import Door
from referrals.lifecycle import deliveries


class ReviewOutcome(StrEnum):
    DECIDED = "decided"
    SAME = "same"
    ALREADY_DECIDED = "already_decided"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    outcome: ReviewOutcome
    review: ReviewView | None


def review_id_of(referral_id: UUID) -> UUID:
    return uuid5(referral_id, "review")


async def open_review(
    session: Session,
    referral: ReferralRow,
    *,
    score: int,
    reasons: tuple[str, ...],
    amount: Money,
    at: datetime,
) -> None:
    values = {
        "id": review_id_of(referral.id),
        "referral_id": referral.id,
        "status": "open",
        "score": score,
        "reasons": list(reasons),
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "opened_at": at,
    }
    await session.execute(insert(Review).values(values).on_conflict_do_nothing())


async def decide(
    session: Session, *, review_id: UUID, decision: Decision, request_id: str | None = None
) -> ReviewDecision:
    """Decide an open review: one conditional update, then a fact like any other and an audit row.

    The same decision again returns SAME, a different one ALREADY_DECIDED; neither changes anything.
    """
    decided = await session.scalar(
        update(Review)
        .where(Review.id == review_id, Review.status == "open")
        .values(
            status="decided",
            decision=decision.decision,
            reviewer=decision.reviewer,
            reason=decision.reason,
            decided_at=decision.occurred_at,
        )
        .returning(Review)
    )
    if decided is None:
        return await _explain_refusal(session, review_id, decision)
    await _record(session, decided, decision, request_id=request_id)
    return ReviewDecision(ReviewOutcome.DECIDED, review_view(decided))


async def find_review(session: ReadSession, referral_id: UUID) -> Review | None:
    query = select(Review).where(Review.referral_id == referral_id)
    return await session.scalar(query.execution_options(populate_existing=True))


async def escalate(session: Session, referral_id: UUID, *, at: datetime) -> None:
    await session.execute(_update_open(referral_id).values(escalated_at=at))


async def close(session: Session, referral_id: UUID) -> None:
    """Close a review that events left nothing to decide in."""
    await session.execute(_update_open(referral_id).values(status="closed"))


def _update_open(referral_id: UUID) -> Update:
    return update(Review).where(Review.referral_id == referral_id, Review.status == "open")


async def _explain_refusal(session: Session, review_id: UUID, decision: Decision) -> ReviewDecision:
    review = await session.scalar(select(Review).where(Review.id == review_id))
    if review is None:
        return ReviewDecision(ReviewOutcome.UNKNOWN, None)
    if review.decision is None:
        return ReviewDecision(ReviewOutcome.CLOSED, review_view(review))
    is_same = review.decision is decision.decision
    outcome = ReviewOutcome.SAME if is_same else ReviewOutcome.ALREADY_DECIDED
    return ReviewDecision(outcome, review_view(review))


async def _record(
    session: Session, review: Review, decision: Decision, *, request_id: str | None
) -> None:
    referee = await session.scalar(
        select(ReferralRow.referee_id).where(ReferralRow.id == review.referral_id)
    )
    door: Door = "signal" if request_id is None else "http"
    await facts.record_fact(session, decision, player_id=referee or "", door=door, route=False)
    await deliveries.enqueue(session, review.referral_id, deliveries.of_fact(decision))
    await audit.write(
        session,
        Actor(name=decision.reviewer, request_id=request_id, reason=decision.reason),
        action=f"review.{decision.decision}",
        subject=f"review:{review.id}",
        details={},
    )
