"""Activities that move reward money: each compares it with the facts, and can be retried."""

from collections.abc import Sequence
from dataclasses import replace

from temporalio import activity

from activities import limited
from activities.compensation import adjust_to_due
from activities.crediting import advance
from activities.evidence import stored_score
from activities.fraud import FraudEvidence, FraudProvider, score_qualification
from activities.locked_referrals import LockedReferrals
from activities.messages import ActRequest, Scoring
from activities.recent_evidence import RecentEvidence
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import CREDITED_STAGES, EARNING_STAGES, Stage, Standing


class RewardActivities:
    def __init__(
        self,
        referrals: LockedReferrals,
        providers: Sequence[FraudProvider] = (),
        recent: RecentEvidence | None = None,
    ) -> None:
        """Share `recent` with the activity that scores what is credited here."""
        self._referrals = referrals
        self._evidence = FraudEvidence(referrals, providers, recent or RecentEvidence())

    @activity.defn
    async def credit_reward(self, request: ActRequest) -> Standing:
        """Credit the assessed deposit's rewards, or hold, defer or refuse them.

        Acts from SIGNED_UP and DEFERRED, and changes nothing of a referral that has ended. Returns
        the standing unchanged when the qualifying deposit is not the one that was assessed: it must
        be scored again. Fraud providers were asked by that scoring, and are not asked here.
        """
        gathered = await self._evidence.gather_recorded(request)
        async with self._referrals.lock(request) as locked:
            if not locked.is_still_at(request.standing):
                return locked.standing_found
            if locked.referral.stage not in EARNING_STAGES:
                return locked.standing
            return await advance(locked, gathered)

    @activity.defn
    async def score_and_credit(self, request: ActRequest) -> Scoring:
        """Assess the qualifying deposit and credit its rewards, or hold, defer or refuse them.

        Does in one transaction what `score_fraud` and then `credit_reward` do in two. Workflows
        call it where no fraud provider is asked (decision 0067). Acts from SIGNED_UP and DEFERRED,
        and changes nothing of a referral that has ended.
        """
        gathered = await self._evidence.gather(request)
        async with self._referrals.lock(request) as locked:
            if locked.referral.stage not in EARNING_STAGES:
                return Scoring(locked.standing_found, score=await stored_score(locked))
            scoring, judged = await score_qualification(locked, request.standing, gathered)
            may_advance = scoring.verdict is not None or locked.referral.stage is Stage.DEFERRED
            if scoring.standing.is_found or not may_advance:
                return scoring
            return replace(scoring, standing=await advance(locked, judged))

    @activity.defn
    async def resolve_hold(self, request: ActRequest) -> Standing:
        """Credit or void held rewards, by the recorded facts and whether the hold is over.

        An approval credits at once: the reviewer has weighed what the hold waits for.
        A review without an answer in time is escalated and stays HELD: silence never pays.
        """
        gathered = await self._evidence.gather_again(request)
        async with self._referrals.lock(request) as locked:
            if not locked.is_still_at(request.standing):
                return locked.standing_found
            if locked.referral.stage is not Stage.HELD:
                return locked.standing
            return await advance(locked, gathered)

    @activity.defn
    async def compensate_reward(self, request: ActRequest) -> Standing:
        """Reverse credited rewards if their deposit was taken back; reinstate if that was undone.

        A balance never falls below zero: what was spent is owed, and recovered from later rewards.
        Before crediting, the act only records the signalled facts.
        """
        async with self._referrals.lock(request) as locked:
            if locked.referral.stage not in CREDITED_STAGES:
                return locked.standing
            left = await limited.place_of(locked)
            standing = await adjust_to_due(locked)
            return await limited.pass_on(locked, standing, left=left)

    @activity.defn
    async def settle_referral(self, request: ActRequest) -> Standing:
        """Settle a rewarded referral for good when its chargeback window has closed."""
        async with self._referrals.lock(request, with_players=False) as locked:
            if locked.referral.stage is not Stage.REWARDED:
                return locked.standing
            return await locked.enter(
                Stage.SETTLED,
                until=locked.referral.until,
                reason=ReasonCode.CHARGEBACK_WINDOW_CLOSED,
            )
