"""Holding: what a qualified referral waits for, by its assessment, its pair and its reviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from activities.locked_referrals import LockedReferral
from db.tables import AssessmentRow, Review
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice
from domain.lifecycle.reasons import ReasonCode
from domain.money import Money
from domain.rewards.eligibility import Ineligibility
from domain.rewards.holds import Hold, HoldReason
from referrals.fraud import reviews
from referrals.fraud.reviews import Doubt
from referrals.rewards import holds
from referrals.rewards.attempts import Attempt

NOT_ELIGIBLE: Final = "player_not_eligible"
"""Reason of a review that is open because a player may not be credited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The holds that must be open now, and what a person has to be asked."""

    holds: tuple[Hold, ...]
    assessment: AssessmentRow
    rounds: Sequence[Review]
    doubts: tuple[str, ...] = ()
    """Reasons for which a review must be open; empty when nobody has to be asked."""
    cleared_by: Mapping[HoldReason, str] = field(default_factory=dict)

    @property
    def reason(self) -> ReasonCode:
        """The reason that is shown: what a person must settle goes before what time settles."""
        open_ = {hold.reason for hold in self.holds}
        shown = (HoldReason.INELIGIBLE, HoldReason.REVIEW, HoldReason.HOLD_PERIOD)
        return next(ReasonCode(reason) for reason in shown if reason in open_)


async def find_waiting(
    locked: LockedReferral, attempt: Attempt, assessment: AssessmentRow, rounds: Sequence[Review]
) -> Waiting:
    """Return what an attempt waits for.

    An approval counts for its own attempt and for the reasons that the reviewer saw; it also ends
    the hold period, which the reviewer has weighed. It makes nobody eligible.
    """
    approvals = [r for r in rounds if r.attempt == attempt.number and r.decision is Choice.APPROVE]
    approved = {reason for review in approvals for reason in review.reasons}
    is_doubtful = assessment.verdict is Verdict.REVIEW and not approved.issuperset(
        assessment.reasons
    )
    wrong = await locked.ineligibilities()
    doubts = (*(assessment.reasons if is_doubtful else ()), *((NOT_ELIGIBLE,) if wrong else ()))
    found = [
        _review(locked, assessment) if is_doubtful else None,
        _ineligible(locked, wrong) if wrong else None,
        None if approvals and not is_doubtful else _hold_period(locked, attempt),
    ]
    reviewer = approvals[-1].reviewer if approvals else None
    return Waiting(
        holds=tuple(hold for hold in found if hold is not None),
        assessment=assessment,
        rounds=rounds,
        doubts=doubts,
        cleared_by=dict.fromkeys((HoldReason.REVIEW, HoldReason.HOLD_PERIOD), reviewer)
        if reviewer
        else {},
    )


async def wait_for(
    locked: LockedReferral, attempt: Attempt, waiting: Waiting, *, amount: Money
) -> datetime:
    """Make the holds and the review what they must be; return until when the referral waits.

    A review that nobody answered in time is escalated and stays open: silence never pays.
    """
    await holds.set_holds(
        locked.session,
        locked.referral.id,
        waiting.holds,
        attempt=attempt.number,
        at=locked.now,
        cleared_by=waiting.cleared_by,
    )
    if not waiting.doubts:
        await reviews.close(locked.session, locked.referral.id)
        return max((hold.until for hold in waiting.holds if hold.until), default=locked.now)
    doubt = Doubt(
        attempt=attempt.number,
        score=waiting.assessment.score,
        reasons=waiting.doubts,
        amount=amount,
        assessment_id=waiting.assessment.id,
    )
    review = await reviews.ask(
        locked.session, locked.referral, waiting.rounds, doubt, at=locked.now
    )
    return _review_deadline(locked, review)


def _review_deadline(locked: LockedReferral, review: Review) -> datetime:
    due = max(review.opened_at, review.escalated_at or review.opened_at)
    due += locked.terms.review_period
    if due <= locked.now:
        review.escalated_at = locked.now
        due = locked.now + locked.terms.review_period
    return due


def _review(locked: LockedReferral, assessment: AssessmentRow) -> Hold:
    return Hold(reason=HoldReason.REVIEW, since=locked.now, detail=tuple(assessment.reasons))


def _ineligible(locked: LockedReferral, wrong: Sequence[Ineligibility]) -> Hold:
    return Hold(reason=HoldReason.INELIGIBLE, since=locked.now, detail=tuple(wrong))


def _hold_period(locked: LockedReferral, attempt: Attempt) -> Hold | None:
    until = attempt.begun_at + locked.terms.hold_period
    if until <= locked.now:
        return None
    return Hold(reason=HoldReason.HOLD_PERIOD, since=attempt.begun_at, until=until)
