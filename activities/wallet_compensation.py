"""Compensation where a wallet holds the balances: debits and reinstatements as payment orders."""

from collections.abc import Sequence
from typing import Final

from activities import payments
from activities.locked_referrals import LockedReferral
from activities.payments import Payment
from db.tables import Review, Reward
from domain.intake.facts import Choice
from domain.ledger.movements import Account, Book
from domain.lifecycle.reasons import ReasonCode
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.reward import RewardStatus
from domain.wallet.orders import OrderKind
from referrals.campaigns import funds_queue
from referrals.fraud import assessments, reviews
from referrals.fraud.reviews import Doubt
from referrals.ledger import balances
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import attempts, booking
from referrals.rewards import transfers as rewards

PAYMENT_REFUSED: Final = HoldReason.PAYMENT_REFUSED.value


async def take_back(
    locked: LockedReferral, credited: Sequence[Reward], *, reason: ReasonCode
) -> None:
    """Book credited rewards as owed, and order a debit of as much as the wallet has."""
    await payments.order_debits(locked, credited, reason=reason)
    await booking.owe_whole(
        locked.session, locked.referral, credited, status=RewardStatus.REVERSED, at=locked.now
    )


async def take_back_unfinished(
    locked: LockedReferral, payment: Payment, *, reason: ReasonCode
) -> None:
    """Take back what the wallet has credited of a reinstatement that is no longer due."""
    await reviews.close(locked.session, locked.referral.id)
    paid = [reward for reward in payment.rewards if reward.id in payment.paid]
    if paid and await _book(locked, payment, paid):
        await take_back(locked, paid, reason=reason)


async def reinstate_paid(locked: LockedReferral, payment: Payment) -> bool:
    """Book the reinstatement that the wallet has credited; False while the budget lacks money."""
    is_booked = await _book(locked, payment, payment.rewards)
    if is_booked:
        await reviews.close(locked.session, locked.referral.id)
    return is_booked


async def order_reinstatement(
    locked: LockedReferral, reversed_: Sequence[Reward], payment: Payment
) -> Hold:
    """Order the credit of reversed rewards that are due again, and return what it waits for.

    That is the wallet's answer, the campaign's money, or, after a refusal, a reviewer.
    """
    approval = None
    if payment.refused:
        rounds = await reviews.rounds_of(locked.session, locked.referral.id)
        approvals = [review for review in rounds if review.decision is Choice.APPROVE]
        approval = payment.unused_approval(approvals)
        if approval is None:
            await _ask(locked, payment, rounds)
            told = tuple(row.refusal or "" for row in payment.refused)
            return Hold(reason=HoldReason.PAYMENT_REFUSED, since=locked.now, detail=told)
    if not await _is_covered(locked, reversed_):
        await funds_queue.pass_on(locked.session, locked.referral)
        return Hold(reason=HoldReason.FUNDS, since=locked.now)
    await payments.order_credits(
        locked, reversed_, payment, kind=OrderKind.REINSTATEMENT, approval=approval
    )
    return Hold(reason=HoldReason.PAYMENT_PENDING, since=locked.now)


async def _book(locked: LockedReferral, payment: Payment, paid: Sequence[Reward]) -> bool:
    posting = await booking.book_reinstatements(
        locked.session, locked.referral, paid, payment.paid, at=locked.now
    )
    if posting is PostingOutcome.INSUFFICIENT:
        return False
    await payments.mark_booked(locked, payment)
    return True


async def _ask(locked: LockedReferral, payment: Payment, rounds: Sequence[Review]) -> None:
    """Open a review of the refusal; a rejection of it stands."""
    if rounds and rounds[-1].decision is Choice.REJECT:
        return
    latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    doubt = Doubt(
        attempt=latest.number if latest else 1,
        score=known.score if known else 0,
        reasons=(PAYMENT_REFUSED,),
        amount=rewards.total_of(payment.rewards),
        assessment_id=known.id if known else None,
    )
    await reviews.ask(locked.session, locked.referral, rounds, doubt, at=locked.now)


async def _is_covered(locked: LockedReferral, reversed_: Sequence[Reward]) -> bool:
    """Return whether the campaign has the money now, so that the ledger can book the credit."""
    account = Account(
        book=Book.CAMPAIGN,
        currency=reversed_[0].currency,
        campaign_id=locked.referral.campaign_id,
    )
    free_minor = await balances.balance_minor(locked.session, account)
    return free_minor >= sum(reward.amount_minor for reward in reversed_)
