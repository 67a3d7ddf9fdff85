"""Compensation: after crediting, adjust each reward to what is due by today's facts."""

from collections.abc import Collection

from activities.locked_referrals import LockedReferral
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.due import due
from domain.rewards.qualification import qualification_of
from referrals.campaigns import funds_queue
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import adjustments, attempts
from referrals.rewards import transfers as rewards


async def adjust_to_due(locked: LockedReferral) -> Standing:
    """Reverse what is no longer due, and reinstate what is due again.

    A reinstatement waits while a player is ineligible or the budget does not cover it.
    """
    found = qualification_of(await _frozen_fact_ids(locked), await locked.money_facts())
    wanted = due(found, locked.terms)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    is_due = any(amount.minor for amount in wanted.values())
    if locked.referral.stage is Stage.REVERSED and is_due and await locked.ineligibilities():
        await funds_queue.pass_on(locked.session, locked.referral)
        locked.referral.awaits_funds = True
        return locked.standing
    posting = await adjustments.adjust(
        locked.session, locked.referral, known, wanted, at=locked.now
    )
    locked.referral.awaits_funds = posting is PostingOutcome.INSUFFICIENT
    if posting is PostingOutcome.INSUFFICIENT:
        return locked.standing
    if locked.referral.stage is not Stage.REVERSED and not is_due:
        return await _enter(locked, Stage.REVERSED, ReasonCode.DEPOSIT_TAKEN_BACK)
    if locked.referral.stage is Stage.REVERSED and is_due:
        return await _enter(locked, Stage.REWARDED, ReasonCode.CHARGEBACK_WON)
    return locked.standing


async def _frozen_fact_ids(locked: LockedReferral) -> Collection[str]:
    """Return the facts that the credited rewards rest on; before 0.3 that was one deposit."""
    credited_by = locked.referral.qualified_by
    latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    if latest is not None and credited_by in latest.fact_ids:
        return latest.fact_ids
    return (credited_by,) if credited_by else ()


async def _enter(locked: LockedReferral, stage: Stage, reason: ReasonCode) -> Standing:
    return await locked.enter(stage, until=locked.referral.until, reason=reason)
