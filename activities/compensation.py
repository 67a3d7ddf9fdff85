"""Compensation: after crediting, adjust each reward to what is due by today's facts."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from activities import computing, limited, switched_off, wallet_compensation
from activities.locked_referrals import LockedReferral
from activities.payments import NO_PAYMENT, Payment, find_payment, withdraw
from db.tables import Reward
from domain.campaigns.rules import RewardKey
from domain.derived_ids import derived_id
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.money import Money
from domain.rewards.eligibility import Ineligibility
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import Qualification, qualification_of
from referrals.campaigns import funds_queue
from referrals.fraud.cases import clawbacks
from referrals.ledger.posting import PostingOutcome
from referrals.lifecycle import events
from referrals.rewards import adjustments, attempts, holds
from referrals.rewards import transfers as rewards


async def adjust_to_due(locked: LockedReferral) -> Standing:
    """Reverse what is no longer due, and reinstate what is due again.

    Nothing is due of what a reviewer took back, whatever becomes of the deposit.

    A reinstatement waits while a player is ineligible, a switch is off, a limit has no place for it
    or the budget does not cover it, and until the wallet has posted it, where there is one. Its
    hold says for which, and only one that waits for money has a place before others in the queue.
    """
    payment = await find_payment(locked)
    if payment.is_complete:
        if not await wallet_compensation.reinstate_paid(locked, payment):
            return await _wait_for(locked, Hold(reason=HoldReason.FUNDS, since=locked.now))
        await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
        payment = NO_PAYMENT
    is_rejected = await clawbacks.is_clawed_back(locked.session, locked.referral.id)
    found = None if is_rejected else await _qualification(locked)
    reason = ReasonCode.REVIEWER_REJECTED if is_rejected else ReasonCode.DEPOSIT_TAKEN_BACK
    wanted = await computing.due_now(locked, found)
    is_due = any(amount.minor for amount in wanted.values())
    wrong = await locked.ineligibilities() if is_due else ()
    if payment.pending and ((is_due and not wrong) or not await withdraw(locked, payment)):
        return locked.standing
    if is_due and locked.referral.stage is Stage.REVERSED:
        hold = await _hold_of_reinstatement(locked, wrong)
        if hold is not None:
            await funds_queue.pass_on(locked.session, locked.referral)
            return await _wait_for(locked, hold)
    if locked.has_wallet or payment.written:
        return await _adjust_by_orders(locked, payment, is_due=is_due, reason=reason)
    return await _adjust(locked, wanted, reason=reason)


async def _qualification(locked: LockedReferral) -> Qualification | None:
    return qualification_of(await _frozen_fact_ids(locked), await locked.money_facts())


async def _hold_of_reinstatement(
    locked: LockedReferral, wrong: Sequence[Ineligibility]
) -> Hold | None:
    if wrong:
        return Hold(reason=HoldReason.INELIGIBLE, since=locked.now, detail=tuple(wrong))
    if off := await switched_off.find_off(locked):
        return switched_off.hold_of(locked, off)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    return await limited.hold_of_reinstatement(locked, known)


async def _adjust(
    locked: LockedReferral, wanted: Mapping[RewardKey, Money], *, reason: ReasonCode
) -> Standing:
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    is_due = any(amount.minor for amount in wanted.values())
    before = {reward.id: (reward.cycle, rewards.standing_minor(reward)) for reward in known}
    posting = await adjustments.adjust(
        locked.session, locked.referral, known, wanted, at=locked.now
    )
    if is_due and locked.referral.stage is not Stage.REVERSED:
        await _tell_adjusted(locked, known, before)
    if posting is PostingOutcome.INSUFFICIENT:
        return await _wait_for(locked, Hold(reason=HoldReason.FUNDS, since=locked.now))
    await _end_wait(locked)
    if locked.referral.stage is not Stage.REVERSED and not is_due:
        return await _enter(locked, Stage.REVERSED, reason)
    if locked.referral.stage is Stage.REVERSED and is_due:
        return await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
    return locked.standing


async def _tell_adjusted(
    locked: LockedReferral, known: Sequence[Reward], before: Mapping[UUID, tuple[int, int]]
) -> None:
    """Tell of rewards that stand higher or lower now, while the referral's stage stays."""
    changed = [reward for reward in known if reward.cycle != before[reward.id][0]]
    if not changed:
        return
    stood = {reward_id: minor for reward_id, (_, minor) in before.items()}
    is_lowered = any(rewards.standing_minor(reward) < stood[reward.id] for reward in changed)
    cycles = [f"{reward.id}:{reward.cycle}" for reward in changed]
    await locked.session.flush()
    await events.write_adjusted(
        locked.session,
        locked.referral,
        stood,
        event_id=derived_id(locked.referral.id, "adjusted", *cycles),
        reason=ReasonCode.DEPOSIT_TAKEN_BACK if is_lowered else None,
        at=locked.now,
    )


async def _adjust_by_orders(
    locked: LockedReferral, payment: Payment, *, is_due: bool, reason: ReasonCode
) -> Standing:
    """Take credited rewards back as debts and a debit, or order their reinstatement."""
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    is_reversed = locked.referral.stage is Stage.REVERSED
    if is_due and is_reversed:
        hold = await wallet_compensation.order_reinstatement(locked, known, payment)
        return await _wait_for(locked, hold)
    await _end_wait(locked)
    if is_due:
        return locked.standing
    if is_reversed:
        await wallet_compensation.take_back_unfinished(locked, payment, reason=reason)
        return locked.standing
    await wallet_compensation.take_back(locked, known, reason=reason)
    return await _enter(locked, Stage.REVERSED, reason)


async def _wait_for(locked: LockedReferral, hold: Hold) -> Standing:
    locked.referral.awaits_funds = True
    await _set_holds(locked, hold)
    return locked.standing


async def _end_wait(locked: LockedReferral) -> None:
    if locked.referral.awaits_funds:
        locked.referral.awaits_funds = False
        await _set_holds(locked)


async def _set_holds(locked: LockedReferral, *wanted: Hold) -> None:
    latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    number = latest.number if latest else 1
    await holds.set_holds(locked.session, locked.referral.id, wanted, attempt=number, at=locked.now)


async def _frozen_fact_ids(locked: LockedReferral) -> Collection[str]:
    """Return the facts that the credited rewards rest on; before 0.3 that was one deposit."""
    credited_by = locked.referral.qualified_by
    latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    if latest is not None and credited_by in latest.fact_ids:
        return latest.fact_ids
    return (credited_by,) if credited_by else ()


async def _enter(locked: LockedReferral, stage: Stage, reason: ReasonCode) -> Standing:
    return await locked.enter(stage, until=locked.referral.until, reason=reason)
