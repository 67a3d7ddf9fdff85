"""Compensation where a wallet holds the balances: debits and reinstatements as payment orders."""

from collections.abc import Mapping, Sequence
from typing import Final

from activities import payments
from activities.locked_referrals import LockedReferral
from activities.payments import Payment
from db.tables import Review, Reward
from domain.intake.facts import Choice
from domain.ledger.movements import Account, Book
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage
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


async def lower(locked: LockedReferral, owing: Mapping[Reward, int], *, reason: ReasonCode) -> None:
    """Book what is no longer due of credited rewards as owed, and order a debit of it.

    The debit takes as much as the wallet has. Amounts are in minor units.
    """
    await payments.order_debits(locked, owing, reason=reason)
    for reward, minor in owing.items():
        if reward.computation is not None:
            reward.due_minor = rewards.standing_minor(reward) - minor
    await booking.owe(locked.session, locked.referral, owing, at=locked.now)


async def take_back(
    locked: LockedReferral,
    credited: Sequence[Reward],
    owing: Mapping[Reward, int],
    *,
    reason: ReasonCode,
) -> None:
    """Take credited rewards back, of which nothing is due any more."""
    await payments.order_debits(locked, owing, reason=reason)
    await booking.owe(locked.session, locked.referral, owing, at=locked.now)
    booking.set_status(credited, RewardStatus.REVERSED, at=locked.now)


async def take_back_unfinished(
    locked: LockedReferral, payment: Payment, *, reason: ReasonCode
) -> None:
    """Take back what the wallet has credited of a reinstatement that is no longer due."""
    await reviews.close(locked.session, locked.referral.id)
    paid = [reward for reward in payment.rewards if reward.id in payment.paid]
    if paid and await _book(locked, payment, paid):
        owing = {reward: payment.paid[reward.id].gross.minor for reward in paid}
        owing = {reward: minor for reward, minor in owing.items() if minor}
        await take_back(locked, paid, owing, reason=reason)


async def reinstate_paid(locked: LockedReferral, payment: Payment) -> bool:
    """Book what the wallet has credited again; False while the budget lacks money."""
    paid = [reward for reward in payment.rewards if reward.id in payment.paid]
    is_booked = await _book(locked, payment, paid)
    if is_booked:
        await close_refusal(locked)
    return is_booked


async def close_refusal(locked: LockedReferral) -> None:
    """Close the review of a refused payment; what else is asked of a person stays open."""
    review = await reviews.find_review(locked.session, locked.referral.id)
    is_open = review is not None and review.status == reviews.OPEN
    if review is not None and is_open and set(review.reasons) == {PAYMENT_REFUSED}:
        await reviews.close(locked.session, locked.referral.id)


async def order_rise(
    locked: LockedReferral, wanting: Mapping[Reward, int], payment: Payment
) -> Hold:
    """Order the credit of what is due again of rewards, and return what it waits for.

    That is the wallet's answer, the campaign's money, or, after a refusal, a reviewer. Amounts are
    in minor units; of a REVERSED referral each reward has an order, also of nothing.
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
    if not await _is_covered(locked, wanting):
        await funds_queue.pass_on(locked.session, locked.referral)
        return Hold(reason=HoldReason.FUNDS, since=locked.now)
    is_reversed = locked.referral.stage is Stage.REVERSED
    await payments.order_credits(
        locked,
        {reward: minor for reward, minor in wanting.items() if is_reversed or minor},
        payment,
        kind=OrderKind.REINSTATEMENT,
        reason=payments.CHARGEBACK_WON if is_reversed else payments.RAISED,
        approval=approval,
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


async def _is_covered(locked: LockedReferral, wanting: Mapping[Reward, int]) -> bool:
    """Return whether the campaign has the money now, so that the ledger can book the credit."""
    account = Account(
        book=Book.CAMPAIGN,
        currency=next(iter(wanting)).currency,
        campaign_id=locked.referral.campaign_id,
    )
    free_minor = await balances.balance_minor(locked.session, account)
    return free_minor >= sum(wanting.values())
