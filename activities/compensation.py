"""Compensation: after crediting, adjust each reward to what is due by today's facts."""

from collections.abc import Collection

from activities.locked_referrals import LockedReferral
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.due import due
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import qualification_of
from referrals.campaigns import funds_queue
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import adjustments, attempts, holds
from referrals.rewards import transfers as rewards


async def adjust_to_due(locked: LockedReferral) -> Standing:
    """Reverse what is no longer due, and reinstate what is due again.

    A reinstatement waits while a player is ineligible or the budget does not cover it. Its hold
    says for which, and only one that waits for money has a place before others in the queue.
    """
    found = qualification_of(await _frozen_fact_ids(locked), await locked.money_facts())
    wanted = due(found, locked.terms)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    is_due = any(amount.minor for amount in wanted.values())
    wrong = await locked.ineligibilities() if is_due else ()
    if locked.referral.stage is Stage.REVERSED and wrong:
        await funds_queue.pass_on(locked.session, locked.referral)
        return await _wait_for(locked, HoldReason.INELIGIBLE, detail=tuple(wrong))
    posting = await adjustments.adjust(
        locked.session, locked.referral, known, wanted, at=locked.now
    )
    if posting is PostingOutcome.INSUFFICIENT:
        return await _wait_for(locked, HoldReason.FUNDS)
    if locked.referral.awaits_funds:
        locked.referral.awaits_funds = False
        await _set_holds(locked)
    if locked.referral.stage is not Stage.REVERSED and not is_due:
        return await _enter(locked, Stage.REVERSED, ReasonCode.DEPOSIT_TAKEN_BACK)
    if locked.referral.stage is Stage.REVERSED and is_due:
        return await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
    return locked.standing


async def _wait_for(
    locked: LockedReferral, reason: HoldReason, *, detail: tuple[str, ...] = ()
) -> Standing:
    locked.referral.awaits_funds = True
    await _set_holds(locked, Hold(reason=reason, since=locked.now, detail=detail))
    return locked.standing


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
