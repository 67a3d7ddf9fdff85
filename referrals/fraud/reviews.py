"""Reviews: opened for a doubtful referral, decided once by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import or_, select, text, update

from db.engine import ReadSession, Session
from db.reporters import Reporter
from db.tables import ReferralRow, Review
from domain.fraud.cases import SecondPersonLimits
from domain.intake.facts import Choice, Decision
from domain.money import Money
from domain.people import is_same_person
from referrals.access import audit
from referrals.access.audit import Actor
from referrals.fraud.cases import deliveries as case_deliveries
from referrals.fraud.cases.second_person import needs_second_person
from referrals.fraud.review_views import ReviewView, find_review_view
from referrals.intake import facts
from referrals.intake.facts import Door
from referrals.lifecycle import deliveries

OPEN: Final = "open"
DECIDED: Final = "decided"
CLOSED: Final = "closed"


# Reads the pair of a review, and the players whom hard links join to either.
_PLAYERS: Final = text("""
    with pair as (
        select unnest(array[referrer_id, referee_id]) as player_id
        from reviews join referrals on referrals.id = referral_id where reviews.id = :review_id
    )
    select player_id from pair where player_id is not null
    union
    select other.player_id
    from pair join player_clusters own using (player_id)
    join player_clusters other on other.cluster_id = own.cluster_id
""")


class ReviewOutcome(StrEnum):
    DECIDED = "decided"
    SAME = "same"
    ALREADY_DECIDED = "already_decided"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    OWN_REFERRAL = "own_referral"
    SECOND_PERSON_REQUIRED = "second_person_required"
    VERSION_CHANGED = "version_changed"


@dataclass(frozen=True, slots=True)
class ReviewDecision:
    outcome: ReviewOutcome
    review: ReviewView | None


def review_id_of(referral_id: UUID, round_: int = 1) -> UUID:
    return uuid5(referral_id, "review" if round_ == 1 else f"review:{round_}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The reasons for which a person is asked, and the evidence behind them."""

    attempt: int
    score: int
    reasons: tuple[str, ...]
    amount: Money
    needs_two: bool = False
    """Two people must approve the amount: an open review of less does not ask for that."""
    assessment_id: UUID | None = None

    def is_asked_by(self, review: Review) -> bool:
        is_less = self.needs_two and review.amount_minor < self.amount.minor
        return review.attempt == self.attempt and not is_less


async def rounds_of(session: ReadSession, referral_id: UUID) -> Sequence[Review]:
    """Return a referral's reviews, one for each round, in order."""
    query = select(Review).where(Review.referral_id == referral_id).order_by(Review.round)
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


async def ask(
    session: Session, referral: ReferralRow, rounds: Sequence[Review], doubt: Doubt, *, at: datetime
) -> Review:
    """Return the open review of a doubt: show its evidence in the open one, or open a new round.

    A review of an earlier attempt is closed: its evidence does not count any more. So is one that
    a single person could approve, of an amount for which there must be two.
    """
    latest = rounds[-1] if rounds else None
    if latest is not None and latest.status == OPEN:
        if doubt.is_asked_by(latest):
            latest.score, latest.reasons = doubt.score, list(doubt.reasons)
            latest.assessment_id = doubt.assessment_id
            return latest
        await close(session, referral.id)
    return await _open(session, referral, doubt, round_=latest.round + 1 if latest else 1, at=at)


async def _open(
    session: Session, referral: ReferralRow, doubt: Doubt, *, round_: int, at: datetime
) -> Review:
    review = Review(
        id=review_id_of(referral.id, round_),
        referral_id=referral.id,
        attempt=doubt.attempt,
        round=round_,
        assessment_id=doubt.assessment_id,
        status=OPEN,
        score=doubt.score,
        reasons=list(doubt.reasons),
        amount_minor=doubt.amount.minor,
        currency=doubt.amount.currency,
        opened_at=at,
    )
    session.add(review)
    await session.flush()
    return review


async def decide(
    session: Session,
    *,
    review_id: UUID,
    decision: Decision,
    request_id: str | None = None,
    limits: SecondPersonLimits | None = None,
    version: str | None = None,
) -> ReviewDecision:
    """Decide an open review: one conditional update, then a fact like any other and an audit row.

    The same decision again returns SAME, a different one ALREADY_DECIDED; neither changes anything.
    Nobody decides on a referral of their own. An approval above `limits` needs a second person. A
    decision about another `version` than the open review has by now returns VERSION_CHANGED.
    """
    if await _is_of(session, review_id, decision.reviewer):
        return ReviewDecision(ReviewOutcome.OWN_REFERRAL, None)
    if version is not None and await _is_changed(session, review_id, version):
        return ReviewDecision(ReviewOutcome.VERSION_CHANGED, None)
    if limits is not None and decision.decision is Choice.APPROVE:
        actor = _actor(decision, request_id)
        if await _lacks_second_person(session, review_id, actor, decision, limits=limits):
            return ReviewDecision(ReviewOutcome.SECOND_PERSON_REQUIRED, None)
    decided = await apply(session, review_id, decision, request_id=request_id)
    if decided is None:
        return await _explain_refusal(session, review_id, decision)
    if decided.case_id is not None:
        await case_deliveries.enqueue(session, [decided.case_id])
    return ReviewDecision(ReviewOutcome.DECIDED, await find_review_view(session, review_id))


async def apply(
    session: Session, review_id: UUID, decision: Decision, *, request_id: str | None
) -> Review | None:
    """Apply a decision to a review that is open, and return it; None when it is not open."""
    decided = await session.scalar(
        update(Review)
        .where(Review.id == review_id, Review.status == OPEN)
        .values(
            status=DECIDED,
            decision=decision.decision,
            reviewer=decision.reviewer,
            reason=decision.reason,
            decided_at=decision.occurred_at,
        )
        .returning(Review)
    )
    if decided is not None:
        await _record(session, decided, decision, request_id=request_id)
    return decided


async def find_review(session: ReadSession, referral_id: UUID) -> Review | None:
    """Return the latest review of a referral."""
    rounds = await rounds_of(session, referral_id)
    return rounds[-1] if rounds else None


async def close(session: Session, referral_id: UUID) -> None:
    """Close a review that events left nothing to decide in."""
    closed = await session.scalars(
        update(Review)
        .where(Review.referral_id == referral_id, Review.status == OPEN)
        .values(status=CLOSED)
        .returning(Review.case_id)
    )
    await case_deliveries.enqueue(session, [case_id for case_id in closed if case_id])


async def _is_of(session: ReadSession, review_id: UUID, name: str) -> bool:
    players = await session.scalars(_PLAYERS, {"review_id": review_id})
    return any(is_same_person(player, name) for player in [*players])


async def _is_changed(session: Session, review_id: UUID, version: str) -> bool:
    """Lock a review; return whether it is open and another than the one that was read."""
    if await _lock_open(session, review_id) is None:
        return False
    view = await find_review_view(session, review_id)
    return view is not None and view.version != version


async def _lock_open(session: Session, review_id: UUID) -> Review | None:
    query = select(Review).where(Review.id == review_id, Review.status == OPEN)
    return await session.scalar(query.with_for_update())


async def _lacks_second_person(
    session: Session,
    review_id: UUID,
    actor: Actor,
    decision: Decision,
    *,
    limits: SecondPersonLimits,
) -> bool:
    review = await _lock_open(session, review_id)
    if review is None:
        return False
    return await needs_second_person(
        session,
        f"review:{review_id}",
        [review],
        actor,
        limits=limits,
        at=decision.occurred_at,
        beside=await _beside(session, review),
    )


async def _beside(session: ReadSession, review: Review) -> Sequence[Review]:
    """Return the other reviews of a review's case that are open or approved.

    Much money is not approved by one person because it is approved in small parts.
    """
    if review.case_id is None:
        return ()
    counts = or_(Review.status == OPEN, Review.decision == Choice.APPROVE)
    query = select(Review).where(Review.case_id == review.case_id, Review.id != review.id, counts)
    return (await session.scalars(query)).all()


async def _explain_refusal(session: Session, review_id: UUID, decision: Decision) -> ReviewDecision:
    review = await find_review_view(session, review_id)
    if review is None:
        return ReviewDecision(ReviewOutcome.UNKNOWN, None)
    if review.decision is None:
        return ReviewDecision(ReviewOutcome.CLOSED, review)
    is_same = review.decision is decision.decision
    outcome = ReviewOutcome.SAME if is_same else ReviewOutcome.ALREADY_DECIDED
    return ReviewDecision(outcome, review)


async def _record(
    session: Session, review: Review, decision: Decision, *, request_id: str | None
) -> None:
    referee = await session.scalar(
        select(ReferralRow.referee_id).where(ReferralRow.id == review.referral_id)
    )
    is_signalled = request_id is None
    door: Door = "signal" if is_signalled else "http"
    await facts.record_fact(
        session,
        decision,
        player_id=referee or "",
        door=door,
        reporter=Reporter(None if is_signalled else decision.reviewer, request_id),
        route=False,
    )
    await deliveries.enqueue(session, review.referral_id, deliveries.of_fact(decision))
    await audit.write(
        session,
        _actor(decision, request_id),
        action=f"review.{decision.decision}",
        subject=f"review:{review.id}",
        details={},
    )


def _actor(decision: Decision, request_id: str | None) -> Actor:
    return Actor(name=decision.reviewer, request_id=request_id, reason=decision.reason)
