"""Crediting a qualifying deposit's rewards: promise, then credit, hold, defer or void them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid5

from activities.locked_referrals import LockedReferral
from db import outbox
from db.tables import AssessmentRow, Reward
from domain.fraud.rules import Verdict
from domain.intake.facts import Deposit
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.reward import RewardStatus, promised_rewards
from referrals.campaigns.offers import load_schedule
from referrals.fraud import assessments, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import transfers as rewards

DEFERRED_RECHECK_INTERVAL: Final = timedelta(days=30)
"""Time until a deferred reward is checked again, where its campaign has no end date."""


async def credit(locked: LockedReferral) -> Standing:
    """Credit what the qualifying deposit earned, by its assessment and within the budget.

    Returns the standing unchanged when another deposit was assessed: this one must be scored.
    """
    deposit = await locked.qualifying_deposit()
    if deposit is None:
        return await _void_if_deferred(locked)
    assessment = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    if assessment is None or assessment.deposit_event_id != deposit.event_id:
        return locked.standing
    if assessment.verdict is Verdict.BLOCK:
        return await reject_for_fraud(locked, assessment)
    promised = await _promise(locked, deposit)
    eligible = await locked.both_are_eligible()
    waits = assessment.verdict is Verdict.REVIEW or not eligible or bool(locked.terms.hold_period)
    post_rewards = rewards.hold if waits else rewards.credit
    if await post_rewards(locked.session, locked.referral, promised, at=locked.now) is (
        PostingOutcome.INSUFFICIENT
    ):
        return await _defer(locked)
    locked.referral.awaits_funds = False
    await _announce_qualified(locked)
    if not waits:
        return await _enter_rewarded(locked, deposit, promised)
    return await _enter_held(locked, assessment, promised, eligible=eligible)


async def release(locked: LockedReferral, deposit: Deposit) -> Standing:
    """Credit the held rewards; from here on only facts about this deposit count."""
    held = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    await rewards.release(locked.session, locked.referral, held, at=locked.now)
    await reviews.close(locked.session, locked.referral.id)
    return await _enter_rewarded(locked, deposit, held)


async def void(locked: LockedReferral, stage: Stage, reason: str) -> Standing:
    """End without a reward: give reserved money back to the campaign, drop deferred rewards."""
    unpaid = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    await rewards.void(locked.session, locked.referral, unpaid, at=locked.now)
    await reviews.close(locked.session, locked.referral.id)
    locked.referral.awaits_funds = False
    return await locked.enter(stage, until=locked.now, reason=reason)


async def reject_for_fraud(locked: LockedReferral, assessment: AssessmentRow) -> Standing:
    return await void(locked, Stage.REJECTED, f"fraud: {', '.join(assessment.reasons)}")


async def request_review(
    locked: LockedReferral, assessment: AssessmentRow, *, eligible: bool
) -> None:
    """Open a review with the reasons for doubt; one that exists already is left as it is."""
    held = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    reasons = (*assessment.reasons, *(() if eligible else ("player_not_eligible",)))
    await reviews.open_review(
        locked.session,
        locked.referral,
        score=assessment.score,
        reasons=reasons,
        amount=rewards.money_of(held[-1]),
        at=locked.now,
    )


async def _void_if_deferred(locked: LockedReferral) -> Standing:
    if locked.referral.stage is Stage.DEFERRED:
        return await void(locked, Stage.VOIDED, "the deposit was taken back while deferred")
    return locked.standing


async def _promise(locked: LockedReferral, deposit: Deposit) -> Sequence[Reward]:
    promised = promised_rewards(
        locked.referral.id,
        locked.terms,
        referrer_id=locked.referral.referrer_id,
        referee_id=locked.referee_id,
    )
    return await rewards.write_promised(
        locked.session,
        locked.referral,
        promised,
        deposit_event_id=deposit.event_id,
        held_until=locked.now + locked.terms.hold_period,
        at=locked.now,
    )


async def _defer(locked: LockedReferral) -> Standing:
    campaign = await load_schedule(locked.session, locked.referral.campaign_id)
    if campaign.has_ended(locked.now):
        return await void(locked, Stage.UNFUNDED, "the campaign ended without a budget for it")
    locked.referral.awaits_funds = True
    return await locked.enter(
        Stage.DEFERRED,
        until=campaign.ends_at or locked.now + DEFERRED_RECHECK_INTERVAL,
        reason="the campaign's budget is used up; it goes on when that is topped up",
    )


async def _enter_rewarded(
    locked: LockedReferral, deposit: Deposit, issued: Sequence[Reward]
) -> Standing:
    for reward in issued:
        reward.deposit_event_id = deposit.event_id
    locked.referral.qualified_by = deposit.event_id
    locked.referral.credited_at = locked.now
    return await locked.enter(
        Stage.REWARDED,
        until=locked.now + locked.terms.chargeback_window,
        extra=_rewards_payload(issued),
    )


async def _enter_held(
    locked: LockedReferral, assessment: AssessmentRow, held: Sequence[Reward], *, eligible: bool
) -> Standing:
    wait, why = locked.terms.hold_period, "in its hold period"
    if assessment.verdict is Verdict.REVIEW or not eligible:
        await request_review(locked, assessment, eligible=eligible)
        wait, why = locked.terms.review_period, "in review"
    return await locked.enter(
        Stage.HELD, until=locked.now + wait, reason=why, extra=_rewards_payload(held)
    )


async def _announce_qualified(locked: LockedReferral) -> None:
    await outbox.write_referral_event(
        locked.session,
        event_id=uuid5(locked.referral.id, "qualified"),
        type_="ReferralQualified",
        referral=locked.referral,
        at=locked.now,
    )


def _rewards_payload(shown: Sequence[Reward]) -> dict[str, object]:
    return {
        "rewards": [
            {
                "reward_id": str(reward.id),
                "reward_type": reward.reward_type.value,
                "player_id": reward.player_id,
                "amount": {"minor": reward.amount_minor, "currency": reward.currency},
                "status": RewardStatus(reward.status).value,
            }
            for reward in shown
        ]
    }
