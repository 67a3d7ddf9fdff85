"""What moves reward money. Each act looks at the facts, moves what they ask, and can be retried."""

from collections.abc import Sequence
from datetime import datetime

from temporalio import activity

from activities.crediting import credit, doubt, release, void
from activities.fraud import Outside, assess_deposit
from activities.messages import Look
from activities.records import LockedReferrals, Record
from db.tables import AssessmentRow, Reward
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice, Deposit
from domain.lifecycle.referral import CREDITED_STAGES, Stage, Standing
from domain.rewards.qualification import meets_minimum
from referrals.fraud import assessments, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.lifecycle import stages
from referrals.rewards import movements as rewards


class RewardActivities:
    def __init__(self, records: LockedReferrals) -> None:
        self._records = records

    @activity.defn
    async def credit_reward(self, look: Look) -> Standing:
        """Credit the assessed deposit's rewards, or hold, defer or refuse them.

        From SIGNED_UP and from DEFERRED. Answers the standing unchanged when the qualifying
        deposit is no longer the one that was assessed: it has to be scored again.
        """
        async with self._records.opened(look) as record:
            if not record.is_still_at(look.standing):
                return record.standing
            return await credit(record)

    @activity.defn
    async def resolve_hold(self, look: Look) -> Standing:
        """Credit or void held rewards, by what has been heard and whether the hold is over.

        An approval credits at once: whoever gives it has weighed what the hold waits for.
        A review that nobody answered in time is escalated and stays HELD: silence never pays.
        """
        async with self._records.opened(look) as record:
            if not record.is_still_at(look.standing) or record.referral.stage is not Stage.HELD:
                return record.standing
            return await _resolve(record)

    @activity.defn
    async def compensate_reward(self, look: Look) -> Standing:
        """Reverse credited rewards if their deposit was taken back; reinstate if that was undone.

        A balance never falls below zero: what was spent is owed, and recovered from later rewards.
        Before the crediting it only records what was heard.
        """
        async with self._records.opened(look) as record:
            if record.referral.stage not in CREDITED_STAGES:
                return record.standing
            return await _compensate(record)

    @activity.defn
    async def settle_referral(self, look: Look) -> Standing:
        """The chargeback window has closed: what stands now stands for good."""
        async with self._records.opened(look) as record:
            if record.referral.stage is not Stage.REWARDED:
                return record.standing
            return await _enter(record, Stage.SETTLED, "the chargeback window has closed")


async def _resolve(record: Record) -> Standing:
    review = await reviews.of_referral(record.session, record.referral.id)
    decision = review.decision if review else None
    if decision is Choice.REJECT:
        return await void(record, Stage.REJECTED, "a reviewer rejected it")
    deposit = await record.qualifying_deposit()
    if deposit is None:
        return await void(record, Stage.VOIDED, "the deposit was taken back while held")
    assessed = await _current_assessment(record, deposit)
    if assessed.verdict is Verdict.BLOCK:
        return await void(record, Stage.REJECTED, f"fraud: {', '.join(assessed.reasons)}")
    if not await record.both_are_eligible():
        return await _keep_holding(record, assessed, eligible=False)
    if decision is Choice.APPROVE or await _is_hold_over(record, assessed):
        return await release(record, deposit)
    return await _keep_holding(record, assessed, eligible=True)


async def _current_assessment(record: Record, deposit: Deposit) -> AssessmentRow:
    """The assessment of this deposit; perhaps another one was assessed, and taken back since."""
    known = await assessments.of(record.session, record.referral.assessment_id)
    if known is None or known.deposit_event_id != deposit.event_id:
        outside = Outside.of(known.evidence) if known else Outside()
        await assess_deposit(record, deposit.event_id, outside)
        known = await assessments.of(record.session, record.referral.assessment_id)
    if known is None:
        raise RuntimeError(f"no assessment of referral {record.referral.id} was stored")
    return known


async def _is_hold_over(record: Record, assessed: AssessmentRow) -> bool:
    held = await rewards.of_referral(record.session, record.referral.id)
    over = all(reward.held_until and reward.held_until <= record.now for reward in held)
    return assessed.verdict is Verdict.PASS and over


async def _keep_holding(record: Record, assessed: AssessmentRow, *, eligible: bool) -> Standing:
    if assessed.verdict is not Verdict.PASS or not eligible:
        await doubt(record, assessed, eligible=eligible)
    if record.now < record.referral.until:
        return record.standing
    until = await _review_deadline(record)
    if until <= record.now:
        await reviews.escalate(record.session, record.referral.id, at=record.now)
        until = record.now + record.terms.review_period
    return await stages.enter_stage(
        record.session, record.referral, Stage.HELD, until=until, at=record.now
    )


async def _review_deadline(record: Record) -> datetime:
    """When a reviewer should have answered; a doubt may have come up late in a hold period."""
    review = await reviews.of_referral(record.session, record.referral.id)
    opened_at = review.opened_at if review else record.now
    return opened_at + record.terms.review_period


async def _compensate(record: Record) -> Standing:
    stands = await _credited_deposit_stands(record)
    issued = await rewards.of_referral(record.session, record.referral.id)
    if record.referral.stage is not Stage.REVERSED and not stands:
        await rewards.reverse(record.session, record.referral, issued, at=record.now)
        return await _enter(record, Stage.REVERSED, "the deposit was taken back")
    if record.referral.stage is Stage.REVERSED and stands:
        return await _reinstate(record, issued)
    record.referral.awaits_funds = False
    return record.standing


async def _credited_deposit_stands(record: Record) -> bool:
    known = await record.money_facts()
    return any(
        isinstance(fact, Deposit)
        and fact.event_id == record.referral.qualified_by
        and meets_minimum(fact, known, record.terms)
        for fact in known
    )


async def _reinstate(record: Record, reversed_: Sequence[Reward]) -> Standing:
    """Credit again, unless a player may not be credited or the budget was paid to others since."""
    posting = PostingOutcome.INSUFFICIENT
    if await record.both_are_eligible():
        posting = await rewards.reinstate(record.session, record.referral, reversed_, at=record.now)
    record.referral.awaits_funds = posting is PostingOutcome.INSUFFICIENT
    if posting is PostingOutcome.INSUFFICIENT:
        return record.standing
    return await _enter(record, Stage.REWARDED, "the chargeback was won")


async def _enter(record: Record, stage: Stage, reason: str) -> Standing:
    return await stages.enter_stage(
        record.session,
        record.referral,
        stage,
        until=record.referral.until,
        at=record.now,
        reason=reason,
    )
