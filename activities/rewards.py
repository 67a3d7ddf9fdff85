"""Activities that move reward money: each compares it with the facts, and can be retried."""

from collections.abc import Collection

from temporalio import activity

from activities.crediting import advance
from activities.locked_referrals import LockedReferral, LockedReferrals
from activities.messages import ActRequest
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import CREDITED_STAGES, Stage, Standing
from domain.rewards.due import due
from domain.rewards.qualification import qualification_of
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import attempts
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
            return await advance(locked)

    @activity.defn
    async def resolve_hold(self, request: ActRequest) -> Standing:
        """Credit or void held rewards, by the recorded facts and whether the hold is over.

        An approval credits at once: the reviewer has weighed what the hold waits for.
        A review without an answer in time is escalated and stays HELD: silence never pays.
        """
        async with self._referrals.lock(request) as locked:
            if not locked.is_still_at(request.standing) or locked.referral.stage is not Stage.HELD:
                return locked.standing
            return await advance(locked)

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
            return await _enter(locked, Stage.SETTLED, ReasonCode.CHARGEBACK_WINDOW_CLOSED)


async def _compensate(locked: LockedReferral) -> Standing:
    """Adjust each credited reward to what is due by today's facts."""
    found = qualification_of(await _frozen_fact_ids(locked), await locked.money_facts())
    wanted = due(found, locked.terms)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    is_due = any(amount.minor for amount in wanted.values())
    if locked.referral.stage is Stage.REVERSED and is_due and await locked.ineligibilities():
        locked.referral.awaits_funds = True
        return locked.standing
    posting = await rewards.adjust(locked.session, locked.referral, known, wanted, at=locked.now)
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
