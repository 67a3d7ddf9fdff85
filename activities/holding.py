"""Holding: what a qualified referral waits for, by its assessment, its pair and its reviews."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from activities.locked_referrals import LockedReferral
from activities.payments import NO_PAYMENT, RECHECK_INTERVAL, Payment
from db.tables import AssessmentRow, Review
from domain.fraud.hard_rules import LASTING_RULES
from domain.fraud.rule_sets import BASE, decides_alone, results_of, weight_of
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import Qualification
from domain.rewards.reward import RewardStatus
from referrals.fraud import reviews
from referrals.fraud.cases.second_person import exceeds
from referrals.fraud.reviews import Doubt
from referrals.lifecycle import events
from referrals.rewards import attempts, holds
from referrals.rewards import transfers as rewards
from referrals.rewards.attempts import Attempt

NOT_ELIGIBLE: Final = "player_not_eligible"
"""Reason of a review that is open because a player may not be credited."""

AMOUNT_RAISED: Final = "amount_raised"
"""Reason of a review of what comes to much more by now than the approvals were about."""

SWITCH_RECHECK_INTERVAL: Final = timedelta(days=1)
"""Time until what a switch holds is looked at again, although turning it on wakes it."""
SIGNAL_UNAVAILABLE: Final = "signal_unavailable"
MIN_ASK_INTERVAL: Final = timedelta(minutes=1)
MAX_ASK_INTERVAL: Final = timedelta(hours=1)
"""Bounds of the time until silent fraud providers are asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The holds that must be open now, and what a person has to be asked."""

    holds: tuple[Hold, ...]
    assessment: AssessmentRow
    rounds: Sequence[Review]
    amount: Money
    """Amount that a person is asked to approve."""
    doubts: tuple[str, ...] = ()
    """Reasons for which a review must be open; empty when nobody has to be asked."""
    cleared_by: Mapping[HoldReason, str] = field(default_factory=dict)
    payment: Payment = NO_PAYMENT
    approved_payment: Review | None = None
    """The approval to order a refused payment again."""

    @property
    def reason(self) -> ReasonCode:
        """The reason that is shown: what a person must settle goes before what time settles."""
        open_ = {hold.reason for hold in self.holds}
        shown = (
            HoldReason.INELIGIBLE,
            HoldReason.SWITCHED_OFF,
            HoldReason.PAYMENT_REFUSED,
            HoldReason.REVIEW,
            HoldReason.HOLD_PERIOD,
            HoldReason.PAYMENT_PENDING,
        )
        return next(ReasonCode(reason) for reason in shown if reason in open_)


async def find_waiting(
    locked: LockedReferral,
    attempt: Attempt,
    assessment: AssessmentRow,
    rounds: Sequence[Review],
    payment: Payment = NO_PAYMENT,
    *,
    amount: Money,
) -> Waiting:
    """Return what an attempt waits for, of which a credit would come to this amount by now.

    An approval counts for its own attempt and for the reasons that the reviewer saw; it also ends
    the hold period, which the reviewer has weighed. It makes nobody eligible. What needs a second
    person and is more than the reviewers saw is asked about again.
    """
    approvals = [r for r in rounds if _approves(r, attempt)]
    by_rules = _doubted(assessment, approvals, rounds, attempt)
    doubted = (*by_rules, *_raised(locked, approvals, amount))
    wrong = await locked.ineligibilities()
    found: list[Hold] = []
    if doubted:
        found.append(Hold(reason=HoldReason.REVIEW, since=locked.now, detail=doubted))
    if wrong:
        found.append(Hold(reason=HoldReason.INELIGIBLE, since=locked.now, detail=tuple(wrong)))
    if by_rules or not approvals:
        found += _hold_period(locked, attempt, assessment)
    approved_payment = payment.unused_approval(approvals)
    refusals = () if approved_payment else tuple(row.refusal or "" for row in payment.refused)
    if refusals:
        found.append(Hold(reason=HoldReason.PAYMENT_REFUSED, since=locked.now, detail=refusals))
    return Waiting(
        holds=tuple(found),
        assessment=assessment,
        rounds=rounds,
        amount=amount,
        doubts=(
            *doubted,
            *((NOT_ELIGIBLE,) if wrong else ()),
            *((HoldReason.PAYMENT_REFUSED.value,) if refusals else ()),
        ),
        cleared_by=_cleared_by(approvals),
        payment=payment,
        approved_payment=approved_payment,
    )


async def wait_for(locked: LockedReferral, attempt: Attempt, waiting: Waiting) -> datetime:
    """Make the holds and the review what they must be; return until when the referral waits.

    A review that nobody answered in time is escalated and stays open: silence never pays.
    """
    recorded = await locked.recorded()
    if waiting.holds or recorded.has_holds:
        await holds.set_holds(
            locked.session,
            locked.referral.id,
            waiting.holds,
            attempt=attempt.number,
            at=locked.now,
            cleared_by=waiting.cleared_by,
        )
    if not waiting.doubts:
        if recorded.has_reviews:
            await reviews.close(locked.session, locked.referral.id)
        ends = [hold.until for hold in waiting.holds if hold.until]
        if any(hold.reason is HoldReason.PAYMENT_PENDING for hold in waiting.holds):
            ends.append(locked.now + RECHECK_INTERVAL)
        if any(hold.reason is HoldReason.SWITCHED_OFF for hold in waiting.holds):
            ends.append(locked.now + SWITCH_RECHECK_INTERVAL)
        return max(ends, default=locked.now)
    doubt = Doubt(
        attempt=attempt.number,
        score=waiting.assessment.score,
        reasons=waiting.doubts,
        amount=waiting.amount,
        needs_two=exceeds(waiting.amount, locked.second_person),
        assessment_id=waiting.assessment.id,
    )
    review = await reviews.ask(
        locked.session, locked.referral, waiting.rounds, doubt, at=locked.now
    )
    due = _review_deadline(locked, review)
    is_incomplete = SIGNAL_UNAVAILABLE in waiting.doubts
    return min(due, _asks_again_at(locked, review)) if is_incomplete else due


async def announce_qualified(locked: LockedReferral, attempt: Attempt) -> None:
    """Write the event of an attempt, before any event of its rewards; once, however often."""
    is_held = locked.referral.stage is Stage.HELD and attempt.begun_at < locked.now
    if not is_held:
        name = "qualified" if attempt.number == 1 else f"qualified:{attempt.number}"
        event_id = uuid5(locked.referral.id, name)
        await events.write_qualified(
            locked.session, locked.referral, event_id=event_id, at=locked.now
        )


def _asks_again_at(locked: LockedReferral, review: Review) -> datetime:
    """Return when to ask again the providers that did not answer, ever less often."""
    elapsed = (locked.now - review.opened_at) / 2
    return locked.now + min(max(elapsed, MIN_ASK_INTERVAL), MAX_ASK_INTERVAL)


def _review_deadline(locked: LockedReferral, review: Review) -> datetime:
    due = max(review.opened_at, review.escalated_at or review.opened_at)
    due += locked.terms.review_period
    if due <= locked.now:
        review.escalated_at = locked.now
        due = locked.now + locked.terms.review_period
    return due


def _approves(review: Review, attempt: Attempt) -> bool:
    return review.attempt == attempt.number and review.decision is Choice.APPROVE


def _doubted(
    assessment: AssessmentRow,
    approvals: Sequence[Review],
    rounds: Sequence[Review],
    attempt: Attempt,
) -> tuple[str, ...]:
    """Return the reasons to ask a person: those of the assessment, and lasting ones already asked.

    A mailbox that too many share by now links nobody any more, and an entry of a list may end.
    Whoever was held for it stays held until a person decides: a farm must not release itself by
    growing, nor one person by the end of an entry what two must approve.
    """
    reasons = _reasons_not_approved(assessment, approvals)
    asked = rounds[-1] if rounds else None
    if asked is None or asked.status != reviews.OPEN or asked.attempt != attempt.number:
        return reasons
    kept = (name for name in asked.reasons if name in LASTING_RULES)
    return tuple(dict.fromkeys((*reasons, *kept)))


def _raised(locked: LockedReferral, approvals: Sequence[Review], amount: Money) -> tuple[str, ...]:
    """Return the reason to ask again, where much money is more than any approval was about."""
    if not approvals or not exceeds(amount, locked.second_person):
        return ()
    seen = (r.amount_minor for r in approvals if r.currency == amount.currency)
    return (AMOUNT_RAISED,) if amount.minor > max(seen, default=0) else ()


def _reasons_not_approved(
    assessment: AssessmentRow, approvals: Sequence[Review]
) -> tuple[str, ...]:
    """Return the assessment's reasons, unless approvals cover those that decide."""
    approved = {reason for review in approvals for reason in review.reasons}
    if assessment.verdict is not Verdict.REVIEW or _are_approved(assessment, approved):
        return ()
    return tuple(assessment.reasons)


def _are_approved(assessment: AssessmentRow, approved: Collection[str]) -> bool:
    """Return whether an approval covers every reason, or all but soft ones of little weight.

    Velocities and the like change from day to day: they alone do not undo what a person decided.
    """
    new = [reason for reason in assessment.reasons if reason not in approved]
    if assessment.outcomes is None or not set(approved).intersection(assessment.reasons):
        return not new
    found = [results_of(assessment.outcomes)[reason] for reason in new]
    return not any(map(decides_alone, found)) and weight_of(found) < BASE.thresholds.hold


def _hold_period(locked: LockedReferral, attempt: Attempt, assessment: AssessmentRow) -> list[Hold]:
    """Return the longer one of the campaign's hold and that of the score's band, if it is open."""
    band = timedelta(seconds=assessment.hold_s or 0)
    until = attempt.begun_at + max(locked.terms.hold_period, band)
    hold = Hold(reason=HoldReason.HOLD_PERIOD, since=attempt.begun_at, until=until)
    return [hold] if until > locked.now else []


def _cleared_by(approvals: Sequence[Review]) -> dict[HoldReason, str]:
    """Return the name to record for the holds that an approval ends."""
    reviewer = approvals[-1].reviewer if approvals else None
    ended = (HoldReason.REVIEW, HoldReason.HOLD_PERIOD, HoldReason.PAYMENT_REFUSED)
    return dict.fromkeys(ended, reviewer) if reviewer else {}


async def attempt_of(locked: LockedReferral, found: Qualification) -> Attempt:
    """Return the attempt of what qualifies; one that 0.2.0 began is written down first."""
    recorded, latest = await locked.recorded(), None
    if recorded.has_attempts:
        latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    if latest is None and recorded.has_rewards:
        known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
        if known and known[0].status is RewardStatus.HELD:
            before = Qualification(
                fact_ids=(known[0].deposit_event_id,), met_at=known[0].created_at, left=found.left
            )
            latest = await attempts.begin_attempt(
                locked.session, locked.referral.id, 1, before, at=known[0].created_at
            )
    return await attempts.attempt_after(
        latest, locked.session, locked.referral.id, found, at=locked.now
    )
