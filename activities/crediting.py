"""Crediting: bring a qualified referral as far as its holds allow, or end it without a reward."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from activities import computing, limited, payments, switched_off
from activities.compensation import adjust_to_due
from activities.evidence import Gathered, judge
from activities.holding import Waiting, announce_qualified, attempt_of, find_waiting, wait_for
from activities.locked_referrals import LockedReferral
from activities.payments import Payment
from activities.unrated import find_lacking
from db.tables import AssessmentRow, Review, Reward
from domain.campaigns.limits.decision import Refused
from domain.campaigns.rules import QualifyingAction
from domain.fraud.rule_sets import certain_reasons
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import Qualification, meets_minimum
from referrals.campaigns import funds_queue
from referrals.campaigns.offers import load_schedule
from referrals.fraud import assessments, cases, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import adjustments, booking, holds
from referrals.rewards import transfers as rewards
from referrals.rewards.attempts import Attempt

DEFERRED_RECHECK_INTERVAL: Final = timedelta(days=30)
"""Time until a deferred reward is checked again, where its campaign has no end date."""


async def advance(locked: LockedReferral, gathered: Gathered) -> Standing:
    """Credit what qualifies, within the budget and once no hold is open; else hold or end it.

    What was learned since the last scoring counts. Before the first hold, returns the standing
    unchanged when another qualification was assessed: this one must be scored first. While the
    wallet may still credit the rewards, nothing else is decided.
    """
    left = await limited.place_of(locked)
    standing = await _go_on(locked, gathered)
    return await limited.pass_on(locked, standing, left=left)


async def _go_on(locked: LockedReferral, gathered: Gathered) -> Standing:
    payment = await payments.find_payment(locked)
    if payment.is_complete:
        return await _credit_paid(locked, payment)
    if payment.pending and not await _is_withdrawn(locked, payment):
        return await locked.enter(Stage.HELD, until=locked.now + payments.RECHECK_INTERVAL)
    return await _advance(locked, payment, gathered)


async def _advance(locked: LockedReferral, payment: Payment, gathered: Gathered) -> Standing:
    recorded = await locked.recorded()
    rounds = (
        await reviews.rounds_of(locked.session, locked.referral.id) if recorded.has_reviews else ()
    )
    if rounds and rounds[-1].decision is Choice.REJECT:
        return await void(locked, Stage.REJECTED, ReasonCode.REVIEWER_REJECTED)
    found = await locked.qualification()
    if found is None:
        return await _end_unqualified(locked)
    assessments.keep_known(locked.session, locked.referral, gathered.assessment)
    # Referred to until it is judged: a session forgets what nobody refers to, and reads it again.
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    if locked.referral.stage is not Stage.HELD and not _is_scored(known, found):
        return locked.standing
    assessment = await judge(locked, found, gathered)
    if assessment.verdict is Verdict.BLOCK:
        reasons = ", ".join(certain_reasons(assessment.reasons))
        return await void(locked, Stage.REJECTED, ReasonCode.FRAUD, detail=reasons)
    return await _earn(locked, found, assessment, rounds, payment)


async def _earn(
    locked: LockedReferral,
    found: Qualification,
    assessment: AssessmentRow,
    rounds: Sequence[Review],
    payment: Payment,
) -> Standing:
    """Write what a qualification earns, and credit, hold or defer it."""
    attempt = await attempt_of(locked, found)
    earned = await computing.write_promised(locked, attempt, found)
    if earned is None:
        return await void(locked, Stage.REJECTED, ReasonCode.NOTHING_TO_PAY)
    await announce_qualified(locked, attempt)
    waiting = await find_waiting(locked, attempt, assessment, rounds, payment, amount=earned.amount)
    if not waiting.holds and (off := await switched_off.find_off(locked)):
        return await _wait_for_switch(locked, attempt, earned.rewards, waiting, off)
    return await _step(locked, attempt, earned.rewards, waiting)


async def _step(
    locked: LockedReferral, attempt: Attempt, written: Sequence[Reward], waiting: Waiting
) -> Standing:
    by_wallet = locked.has_wallet or waiting.payment.latest
    is_credit = not (waiting.holds or by_wallet)
    is_order = not (waiting.holds or waiting.payment.latest)
    if beyond := await limited.find_limit(locked, written, is_credit=is_order):
        return await _stop_at_limit(locked, attempt, written, beyond)
    if is_credit:
        return await _credit(locked, attempt, written, waiting)
    if locked.referral.stage is not Stage.HELD and not await _reserve(locked, written):
        return await _defer(locked, attempt)
    if not waiting.holds:
        waiting = await _order_credits(locked, written, waiting)
    return await _hold(locked, attempt, waiting)


async def _stop_at_limit(
    locked: LockedReferral,
    attempt: Attempt,
    written: Sequence[Reward],
    limit: limited.Beyond,
) -> Standing:
    """Defer the rewards to the next period, giving back what was reserved, or refuse them."""
    if isinstance(limit, Refused):
        return await void(locked, Stage.REJECTED, ReasonCode.LIMIT, detail=limit.limit.name)
    if locked.referral.stage is Stage.HELD:
        await rewards.unreserve(locked.session, locked.referral, written, at=locked.now)
        await reviews.close(locked.session, locked.referral.id)
    deferred = await limited.defer(locked, attempt, limit)
    return deferred or await void(locked, Stage.UNFUNDED, ReasonCode.CAMPAIGN_ENDED)


async def _wait_for_switch(
    locked: LockedReferral,
    attempt: Attempt,
    written: Sequence[Reward],
    waiting: Waiting,
    off: Sequence[str],
) -> Standing:
    """Defer what would be credited; what the wallet has refused stays HELD, as it was ordered."""
    hold = switched_off.hold_of(locked, off)
    if locked.referral.stage is Stage.HELD:
        if waiting.payment.written:
            return await _hold(locked, attempt, replace(waiting, holds=(hold,)))
        await rewards.unreserve(locked.session, locked.referral, written, at=locked.now)
        await reviews.close(locked.session, locked.referral.id)
    return await switched_off.defer(locked, attempt, hold)


async def void(
    locked: LockedReferral, stage: Stage, reason: ReasonCode, *, detail: str = ""
) -> Standing:
    """End without a reward: give reserved money back to the campaign, drop deferred rewards."""
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    unpaid = await payments.take_back_paid(locked, known)
    await rewards.void(locked.session, locked.referral, unpaid, at=locked.now)
    await reviews.close(locked.session, locked.referral.id)
    await holds.set_holds(locked.session, locked.referral.id, (), attempt=0, at=locked.now)
    locked.referral.awaits_funds = False
    return await locked.enter(stage, until=locked.now, reason=reason, detail=detail)


async def reject_first_deposit(locked: LockedReferral) -> Standing | None:
    """Reject a referral whose first deposit was below the minimum; None where it was not."""
    judge = await locked.judge()
    first = judge.first_deposit() if judge else None
    if first is None or meets_minimum(first, (), locked.terms):
        return None
    if await find_lacking(locked):
        return None
    return await void(locked, Stage.REJECTED, ReasonCode.FIRST_DEPOSIT_BELOW_MINIMUM)


async def _end_unqualified(locked: LockedReferral) -> Standing:
    if locked.terms.rules.on is QualifyingAction.FIRST_DEPOSIT and (
        rejected := await reject_first_deposit(locked)
    ):
        return rejected
    if locked.referral.stage in {Stage.HELD, Stage.DEFERRED}:
        return await void(locked, Stage.VOIDED, ReasonCode.DEPOSIT_TAKEN_BACK)
    return locked.standing


def _is_scored(known: AssessmentRow | None, found: Qualification) -> bool:
    return known is not None and known.deposit_event_id == found.fact_ids[0]


async def _is_withdrawn(locked: LockedReferral, payment: Payment) -> bool:
    """Cancel payments that should not be made any more, where that is still possible."""
    is_due = await locked.qualification() is not None and not await locked.ineligibilities()
    return not is_due and await payments.withdraw(locked, payment)


async def _credit_paid(locked: LockedReferral, payment: Payment) -> Standing:
    """Book what the wallet has credited, then adjust it to what is due by now."""
    await booking.book_credits(
        locked.session, locked.referral, payment.rewards, payment.paid, at=locked.now
    )
    await payments.mark_booked(locked, payment)
    await reviews.close(locked.session, locked.referral.id)
    await holds.set_holds(locked.session, locked.referral.id, (), attempt=0, at=locked.now)
    await _enter_rewarded(locked, payment.rewards)
    return await adjust_to_due(locked)


async def _reserve(locked: LockedReferral, written: Sequence[Reward]) -> bool:
    absent = (await locked.recorded()).absent
    posting = await rewards.hold(
        locked.session, locked.referral, written, at=locked.now, absent=absent
    )
    return posting is not PostingOutcome.INSUFFICIENT


async def _order_credits(
    locked: LockedReferral, written: Sequence[Reward], waiting: Waiting
) -> Waiting:
    """Order the rewards' payment; they stay HELD until the wallet has posted it."""
    await payments.order_rewards(
        locked, written, waiting.payment, approval=waiting.approved_payment
    )
    pending = Hold(reason=HoldReason.PAYMENT_PENDING, since=locked.now)
    return replace(waiting, holds=(pending,))


async def _hold(locked: LockedReferral, attempt: Attempt, waiting: Waiting) -> Standing:
    locked.referral.awaits_funds = False
    until = await wait_for(locked, attempt, waiting)
    return await locked.enter(Stage.HELD, until=until, reason=waiting.reason)


async def _credit(
    locked: LockedReferral, attempt: Attempt, written: Sequence[Reward], waiting: Waiting
) -> Standing:
    if locked.referral.stage is Stage.HELD:
        await rewards.release(locked.session, locked.referral, written, at=locked.now)
    else:
        absent = (await locked.recorded()).absent
        posting = await rewards.credit(
            locked.session, locked.referral, written, at=locked.now, absent=absent
        )
        if posting is PostingOutcome.INSUFFICIENT:
            return await _defer(locked, attempt)
    await wait_for(locked, attempt, waiting)
    if not locked.terms.rules.rewards:
        return await _enter_rewarded(locked, written)
    if (found := await locked.qualification()) is not None:
        await computing.freeze(locked, found)
        await _adjust_credit(locked, written, found)
    await _enter_rewarded(locked, written)
    return await adjust_to_due(locked)


async def _adjust_credit(
    locked: LockedReferral, written: Sequence[Reward], found: Qualification
) -> None:
    """Bring the credit to what is due before it is told; what the budget lacks is left open."""
    wanted = await computing.due_now(locked, found)
    if any(amount.minor for amount in wanted.values()):
        await adjustments.adjust(locked.session, locked.referral, written, wanted, at=locked.now)


async def _enter_rewarded(locked: LockedReferral, written: Sequence[Reward]) -> Standing:
    locked.referral.awaits_funds = False
    locked.referral.qualified_by = written[0].deposit_event_id
    locked.referral.credited_at = locked.now
    judged = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    if judged is not None and judged.is_sampled:
        await cases.open_sample(locked.session, locked.referral.id, at=locked.now)
    return await locked.enter(
        Stage.REWARDED,
        until=locked.now + locked.terms.chargeback_window,
    )


async def _defer(locked: LockedReferral, attempt: Attempt) -> Standing:
    campaign = await load_schedule(locked.session, locked.referral.campaign_id)
    if campaign.has_ended(locked.now):
        return await void(locked, Stage.UNFUNDED, ReasonCode.CAMPAIGN_ENDED)
    if locked.referral.awaits_funds:
        await funds_queue.pass_on_move(locked.session, locked.referral)
    locked.referral.awaits_funds = True
    until = campaign.ends_at or locked.now + DEFERRED_RECHECK_INTERVAL
    funds = Hold(reason=HoldReason.FUNDS, since=locked.now, until=until)
    await holds.set_holds(
        locked.session, locked.referral.id, [funds], attempt=attempt.number, at=locked.now
    )
    return await locked.enter(Stage.DEFERRED, until=until, reason=ReasonCode.FUNDS)
