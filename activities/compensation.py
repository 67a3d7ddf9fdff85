"""Compensation: after crediting, adjust each reward to what is due by today's facts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from activities import computing, limited, switched_off, wallet_compensation
from activities.locked_referrals import LockedReferral
from activities.payments import Payment, find_payment, withdraw
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Amounts due of each reward by today's facts, beside those that stand credited."""

    rewards: Sequence[Reward]
    wanted: Mapping[RewardKey, Money]
    stood_minor: Mapping[UUID, int]
    """Amount that stands credited of each reward, in minor units."""
    reason: ReasonCode
    """Reason for which rewards are taken back."""

    @property
    def is_due(self) -> bool:
        return any(amount.minor for amount in self.wanted.values())

    @property
    def more(self) -> dict[UUID, int]:
        """Amount that each reward lacks, in minor units; negative where too much stands."""
        return {r.id: self.wanted[r.key].minor - self.stood_minor[r.id] for r in self.rewards}

    @property
    def lowered(self) -> dict[Reward, int]:
        more = self.more
        return {reward: -more[reward.id] for reward in self.rewards if more[reward.id] < 0}

    @property
    def wanting(self) -> dict[Reward, int]:
        """Amount to credit of each reward, which may be nothing, in minor units."""
        more = self.more
        return {reward: max(0, more[reward.id]) for reward in self.rewards}

    @property
    def rises(self) -> bool:
        return any(self.wanting.values())


async def adjust_to_due(locked: LockedReferral) -> Standing:
    """Reverse what is no longer due, and credit what is due again or has risen.

    Nothing is due of what a reviewer took back, whatever becomes of the deposit.

    What rises waits while a player is ineligible, a switch is off, a limit has no place for it or
    the budget does not cover it, and until the wallet has posted it, where there is one. Its hold
    says for which, and only one that waits for money has a place before others in the queue.
    """
    payment = await find_payment(locked)
    if payment.is_bookable(locked.referral.stage):
        if not await _book_paid(locked, payment):
            return await _wait_for(locked, Hold(reason=HoldReason.FUNDS, since=locked.now))
        payment = await find_payment(locked)
    claim = await _claim(locked)
    wrong = await locked.ineligibilities() if claim.rises else ()
    if payment.pending and not await _are_withdrawn(locked, payment, claim, wrong):
        return locked.standing
    if claim.rises and (hold := await _hold_of_rise(locked, claim, wrong)):
        await _lower(locked, payment, claim)
        await funds_queue.pass_on(locked.session, locked.referral)
        return await _wait_for(locked, hold)
    if locked.has_wallet or payment.written:
        return await _adjust_by_orders(locked, payment, claim)
    return await _adjust(locked, claim)


async def _book_paid(locked: LockedReferral, payment: Payment) -> bool:
    """Book what the wallet has credited again; False while the budget lacks money."""
    before = _standing_of(payment.rewards)
    if not await wallet_compensation.reinstate_paid(locked, payment):
        return False
    if locked.referral.stage is Stage.REVERSED:
        await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
    else:
        await _tell_adjusted(locked, payment.rewards, before)
    return True


async def _claim(locked: LockedReferral) -> Claim:
    is_rejected = await clawbacks.is_clawed_back(locked.session, locked.referral.id)
    found = None if is_rejected else await _qualification(locked)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    return Claim(
        rewards=known,
        wanted=await computing.due_now(locked, found),
        stood_minor=await adjustments.net_minor_of(locked.session, known),
        reason=ReasonCode.REVIEWER_REJECTED if is_rejected else ReasonCode.DEPOSIT_TAKEN_BACK,
    )


async def _are_withdrawn(
    locked: LockedReferral, payment: Payment, claim: Claim, wrong: Sequence[Ineligibility]
) -> bool:
    """Withdraw open orders that are not what is due any more; False while one may be posted."""
    is_as_asked = claim.rises and not wrong and payment.asks(claim.more)
    return not is_as_asked and await withdraw(locked, payment)


async def _qualification(locked: LockedReferral) -> Qualification | None:
    return qualification_of(await _frozen_fact_ids(locked), await locked.money_facts())


async def _hold_of_rise(
    locked: LockedReferral, claim: Claim, wrong: Sequence[Ineligibility]
) -> Hold | None:
    if wrong:
        return Hold(reason=HoldReason.INELIGIBLE, since=locked.now, detail=tuple(wrong))
    if off := await switched_off.find_off(locked):
        return switched_off.hold_of(locked, off)
    return await limited.hold_of_rise(locked, claim.rewards, claim.wanted)


async def _lower(locked: LockedReferral, payment: Payment, claim: Claim) -> None:
    """Take back what too much stands credited of some rewards, while others wait to rise."""
    if not claim.lowered:
        return
    before = _standing_of(claim.rewards)
    if locked.has_wallet or payment.written:
        await wallet_compensation.lower(locked, claim.lowered, reason=claim.reason)
    else:
        lowered = list(claim.lowered)
        await adjustments.adjust(
            locked.session,
            locked.referral,
            lowered,
            claim.wanted,
            at=locked.now,
            stood_minor=claim.stood_minor,
        )
    await _tell_adjusted(locked, claim.rewards, before)


async def _adjust(locked: LockedReferral, claim: Claim) -> Standing:
    before = _standing_of(claim.rewards)
    posting = await adjustments.adjust(
        locked.session,
        locked.referral,
        claim.rewards,
        claim.wanted,
        at=locked.now,
        stood_minor=claim.stood_minor,
    )
    if claim.is_due and locked.referral.stage is not Stage.REVERSED:
        await _tell_adjusted(locked, claim.rewards, before)
    if posting is PostingOutcome.INSUFFICIENT:
        return await _wait_for(locked, Hold(reason=HoldReason.FUNDS, since=locked.now))
    await _end_wait(locked)
    if locked.referral.stage is not Stage.REVERSED and not claim.is_due:
        return await _enter(locked, Stage.REVERSED, claim.reason)
    if locked.referral.stage is Stage.REVERSED and claim.is_due:
        return await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
    return locked.standing


def _standing_of(known: Sequence[Reward]) -> dict[UUID, tuple[int, int]]:
    """Return the cycle of each reward, and what stands of it in minor units."""
    return {reward.id: (reward.cycle, rewards.standing_minor(reward)) for reward in known}


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


async def _adjust_by_orders(locked: LockedReferral, payment: Payment, claim: Claim) -> Standing:
    """Take what is not due back as debts and a debit, or order the credit of what rises."""
    if not claim.is_due:
        return await _take_back_by_orders(locked, payment, claim)
    await _lower(locked, payment, claim)
    if not claim.rises:
        await wallet_compensation.close_refusal(locked)
        await _end_wait(locked)
        return locked.standing
    hold = await wallet_compensation.order_rise(locked, claim.wanting, payment)
    return await _wait_for(locked, hold)


async def _take_back_by_orders(locked: LockedReferral, payment: Payment, claim: Claim) -> Standing:
    await _end_wait(locked)
    if locked.referral.stage is Stage.REVERSED:
        await wallet_compensation.take_back_unfinished(locked, payment, reason=claim.reason)
        return locked.standing
    await wallet_compensation.take_back(locked, claim.rewards, claim.lowered, reason=claim.reason)
    return await _enter(locked, Stage.REVERSED, claim.reason)


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
