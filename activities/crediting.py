"""Crediting: bring a qualified referral as far as its holds allow, or end it without a reward."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid5

from activities.fraud import reassess
from activities.holding import Waiting, find_waiting, wait_for
from activities.locked_referrals import LockedReferral
from db import outbox
from db.tables import Reward
from domain.fraud.rules import Verdict
from domain.intake.facts import Choice
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.holds import Hold, HoldReason
from domain.rewards.qualification import Qualification
from domain.rewards.reward import RewardStatus, promised_rewards
from referrals.campaigns import funds_queue
from referrals.campaigns.offers import load_schedule
from referrals.fraud import assessments, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.rewards import attempts, holds
from referrals.rewards import transfers as rewards
from referrals.rewards.attempts import Attempt

DEFERRED_RECHECK_INTERVAL: Final = timedelta(days=30)
"""Time until a deferred reward is checked again, where its campaign has no end date."""


async def advance(locked: LockedReferral) -> Standing:
    """Credit what qualifies, within the budget and once no hold is open; else hold or end it.

    What was learned since the last scoring counts. Before the first hold, returns the standing
    unchanged when another qualification was assessed: this one must be scored first.
    """
    rounds = await reviews.rounds_of(locked.session, locked.referral.id)
    if rounds and rounds[-1].decision is Choice.REJECT:
        return await void(locked, Stage.REJECTED, ReasonCode.REVIEWER_REJECTED)
    found = await locked.qualification()
    if found is None:
        return await _end_unqualified(locked)
    if locked.referral.stage is not Stage.HELD and not await _is_scored(locked, found):
        return locked.standing
    assessment = await reassess(locked, found)
    if assessment.verdict is Verdict.BLOCK:
        reasons = ", ".join(assessment.reasons)
        return await void(locked, Stage.REJECTED, ReasonCode.FRAUD, detail=reasons)
    attempt = await _attempt(locked, found)
    written = await _write_promised(locked, attempt, found)
    waiting = await find_waiting(locked, attempt, assessment, rounds)
    return await (_hold if waiting.holds else _credit)(locked, attempt, written, waiting)


async def void(
    locked: LockedReferral, stage: Stage, reason: ReasonCode, *, detail: str = ""
) -> Standing:
    """End without a reward: give reserved money back to the campaign, drop deferred rewards."""
    unpaid = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    await rewards.void(locked.session, locked.referral, unpaid, at=locked.now)
    await reviews.close(locked.session, locked.referral.id)
    await holds.set_holds(locked.session, locked.referral.id, (), attempt=0, at=locked.now)
    locked.referral.awaits_funds = False
    return await locked.enter(stage, until=locked.now, reason=reason, detail=detail)


async def _end_unqualified(locked: LockedReferral) -> Standing:
    if locked.referral.stage in {Stage.HELD, Stage.DEFERRED}:
        return await void(locked, Stage.VOIDED, ReasonCode.DEPOSIT_TAKEN_BACK)
    return locked.standing


async def _is_scored(locked: LockedReferral, found: Qualification) -> bool:
    known = await assessments.find_assessment(locked.session, locked.referral.assessment_id)
    return known is not None and known.deposit_event_id == found.fact_ids[0]


async def _attempt(locked: LockedReferral, found: Qualification) -> Attempt:
    """Return the attempt of what qualifies; one that 0.2.0 began is written down first."""
    latest = await attempts.latest_attempt(locked.session, locked.referral.id)
    if latest is None:
        known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
        if known and known[0].status is RewardStatus.HELD:
            before = Qualification(
                fact_ids=(known[0].deposit_event_id,), met_at=known[0].created_at, left=found.left
            )
            await attempts.begin_attempt(
                locked.session, locked.referral.id, 1, before, at=known[0].created_at
            )
    return await attempts.attempt_of(locked.session, locked.referral.id, found, at=locked.now)


async def _write_promised(
    locked: LockedReferral, attempt: Attempt, found: Qualification
) -> Sequence[Reward]:
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
        qualification_id=attempt.qualification_id,
        deposit_event_id=found.fact_ids[0],
        held_until=attempt.begun_at + locked.terms.hold_period,
        at=locked.now,
    )


async def _hold(
    locked: LockedReferral, attempt: Attempt, written: Sequence[Reward], waiting: Waiting
) -> Standing:
    if locked.referral.stage is not Stage.HELD:
        posting = await rewards.hold(locked.session, locked.referral, written, at=locked.now)
        if posting is PostingOutcome.INSUFFICIENT:
            return await _defer(locked, attempt)
        await _announce_qualified(locked)
    locked.referral.awaits_funds = False
    until = await wait_for(locked, attempt, waiting, amount=rewards.total_of(written))
    return await locked.enter(
        Stage.HELD, until=until, reason=waiting.reason, extra=_rewards_payload(written)
    )


async def _credit(
    locked: LockedReferral, attempt: Attempt, written: Sequence[Reward], waiting: Waiting
) -> Standing:
    if locked.referral.stage is Stage.HELD:
        await rewards.release(locked.session, locked.referral, written, at=locked.now)
    else:
        posting = await rewards.credit(locked.session, locked.referral, written, at=locked.now)
        if posting is PostingOutcome.INSUFFICIENT:
            return await _defer(locked, attempt)
        await _announce_qualified(locked)
    await wait_for(locked, attempt, waiting, amount=rewards.total_of(written))
    locked.referral.awaits_funds = False
    locked.referral.qualified_by = written[0].deposit_event_id
    locked.referral.credited_at = locked.now
    return await locked.enter(
        Stage.REWARDED,
        until=locked.now + locked.terms.chargeback_window,
        extra=_rewards_payload(written),
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
