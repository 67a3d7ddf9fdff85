"""Activities that move reward money: each compares it with the facts, and can be retried."""

from collections.abc import Sequence
from datetime import datetime

from temporalio import activity

from activities.crediting import (
    credit,
    reject_for_fraud,
    release,
    request_review,
    void,
)
from activities.fraud import ProviderAnswers, assess_deposit
from activities.locked_referrals import LockedReferral, LockedReferrals
from activities.messages import ActRequest
from db.tables import AssessmentRow, Reward
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice, Deposit
from domain.lifecycle.referral import CREDITED_STAGES, Stage, Standing
from domain.rewards.qualification import meets_minimum
from referrals.fraud import assessments, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import transfers as rewards


class RewardActivities:
    def __init__(self, referrals: LockedReferrals) -> None:
        self._referrals = referrals

    @activity.defn
    async def credit_reward(self, request: ActRequest) -> Standing:
        """Credit the assessed deposit's rewards, or hold, defer or refuse them.

        Acts from SIGNED_UP and DEFERRED. Returns the standing unchanged when the qualifying
        deposit is not the one that was assessed: it must be scored again.
        """
        async with self._referrals.lock(request) as locked:
            if not locked.is_still_at(request.standing):
                return locked.standing
            return await credit(locked)

    @activity.defn
    async def resolve_hold(self, request: ActRequest) -> Standing:
        """Credit or void held rewards, by the recorded facts and whether the hold is over.

        An approval credits at once: the reviewer has weighed what the hold waits for.
        A review without an answer in time is escalated and stays HELD: silence never pays.
        """
        async with self._referrals.lock(request) as locked:
            if not locked.is_still_at(request.standing) or locked.referral.stage is not Stage.HELD:
                return locked.standing
            return await _resolve(locked)

    @activity.defn
    async def compensate_reward(self, request: ActRequest) -> Standing:
        """Reverse credited rewards if their deposit was taken back; reinstate if that was undone.

        A balance never falls below zero: what was spent is owed, and recovered from later rewards.
        Before crediting, the act only records the signalled facts.
        """
        async with self._referrals.lock(request) as locked:
            if locked.referral.stage not in CREDITED_STAGES:
                return locked.standing
            return await _compensate(locked)

    @activity.defn
    async def settle_referral(self, request: ActRequest) -> Standing:
        """Settle a rewarded referral for good when its chargeback window has closed."""
        async with self._referrals.lock(request) as locked:
            if locked.referral.stage is not Stage.REWARDED:
                return locked.standing
            return await locked.enter(
                Stage.SETTLED,
                until=locked.referral.until,
                reason="the chargeback window has closed",
            )


async def _resolve(locked: LockedReferral) -> Standing:
    review = await reviews.find_review(locked.session, locked.referral.id)
    decision = review.decision if review else None
    if decision is Choice.REJECT:
        return await void(locked, Stage.REJECTED, "a reviewer rejected it")
    deposit = await locked.qualifying_deposit()
    if deposit is None:
        return await void(locked, Stage.VOIDED, "the deposit was taken back while held")
    assessment = await _current_assessment(locked, deposit)
    if assessment.verdict is Verdict.BLOCK:
        return await reject_for_fraud(locked, assessment)
    if not await locked.both_are_eligible():
        return await _keep_holding(locked, assessment, eligible=False)
    if decision is Choice.APPROVE or await _is_hold_over(locked, assessment):
        return await release(locked, deposit)
    return await _keep_holding(locked, assessment, eligible=True)


async def _current_assessment(locked: LockedReferral, deposit: Deposit) -> AssessmentRow:
    """Return this deposit's assessment; assess it if the one stored is of another deposit."""
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    if known is None or known.deposit_event_id != deposit.event_id:
        answers = ProviderAnswers.from_evidence(known.evidence) if known else ProviderAnswers()
        await assess_deposit(locked, deposit.event_id, answers)
        known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    if known is None:
        raise RuntimeError(f"no assessment of referral {locked.referral.id} was stored")
    return known


async def _is_hold_over(locked: LockedReferral, assessment: AssessmentRow) -> bool:
    held = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    over = all(reward.held_until and reward.held_until <= locked.now for reward in held)
    return assessment.verdict is Verdict.PASS and over


async def _keep_holding(
    locked: LockedReferral, assessment: AssessmentRow, *, eligible: bool
) -> Standing:
    if assessment.verdict is not Verdict.PASS or not eligible:
        await request_review(locked, assessment, eligible=eligible)
    if locked.now < locked.referral.until:
        return locked.standing
    until = await _review_deadline(locked)
    if until <= locked.now:
        await reviews.escalate(locked.session, locked.referral.id, at=locked.now)
        until = locked.now + locked.terms.review_period
    return await locked.enter(Stage.HELD, until=until)


async def _review_deadline(locked: LockedReferral) -> datetime:
    """Return when to escalate the review; it may have been opened late in the hold period."""
    review = await reviews.find_review(locked.session, locked.referral.id)
    opened_at = review.opened_at if review else locked.now
    return opened_at + locked.terms.review_period


async def _compensate(locked: LockedReferral) -> Standing:
    stands = await _credited_deposit_stands(locked)
    issued = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    if locked.referral.stage is not Stage.REVERSED and not stands:
        await rewards.reverse(locked.session, locked.referral, issued, at=locked.now)
        return await locked.enter(
            Stage.REVERSED, until=locked.referral.until, reason="the deposit was taken back"
        )
    if locked.referral.stage is Stage.REVERSED and stands:
        return await _reinstate(locked, issued)
    locked.referral.awaits_funds = False
    return locked.standing


async def _credited_deposit_stands(locked: LockedReferral) -> bool:
    known = await locked.money_facts()
    return any(
        isinstance(fact, Deposit)
        and fact.event_id == locked.referral.qualified_by
        and meets_minimum(fact, known, locked.terms)
        for fact in known
    )


async def _reinstate(locked: LockedReferral, reversed_: Sequence[Reward]) -> Standing:
    """Credit again, unless a player is not eligible or the budget was paid to others since."""
    posting = PostingOutcome.INSUFFICIENT
    if await locked.both_are_eligible():
        posting = await rewards.reinstate(locked.session, locked.referral, reversed_, at=locked.now)
    locked.referral.awaits_funds = posting is PostingOutcome.INSUFFICIENT
    if posting is PostingOutcome.INSUFFICIENT:
        return locked.standing
    return await locked.enter(
        Stage.REWARDED, until=locked.referral.until, reason="the chargeback was won"
    )
