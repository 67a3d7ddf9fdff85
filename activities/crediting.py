"""From a qualifying deposit to money: promised, reserved, and credited, held or deferred."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid5

from activities.records import Record
from db import outbox
from db.tables import AssessmentRow, Reward
from domain.fraud.rules import Verdict
from domain.intake.facts import Deposit
from domain.lifecycle.referral import Stage, Standing
from domain.rewards.promises import RewardStatus, promises
from referrals.campaigns.offers import load_schedule
from referrals.fraud import assessments, reviews
from referrals.ledger.posting import PostingOutcome
from referrals.lifecycle import stages
from referrals.rewards import movements as rewards

DEFERRED_RECHECK_INTERVAL: Final = timedelta(days=30)
"""How long a campaign without an end lets a deferred reward wait before it is looked at again."""


async def credit(record: Record) -> Standing:
    """Give what the qualifying deposit earned by its assessment, as far as the budget goes."""
    deposit = await record.qualifying_deposit()
    if deposit is None:
        return await _void_if_deferred(record)
    assessed = await assessments.of(record.session, record.referral.assessment_id)
    if assessed is None or assessed.deposit_event_id != deposit.event_id:
        return record.standing
    if assessed.verdict is Verdict.BLOCK:
        return await void(record, Stage.REJECTED, _block_reason(assessed))
    promised = await _promise(record, deposit)
    eligible = await record.both_are_eligible()
    waits = assessed.verdict is Verdict.REVIEW or not eligible or bool(record.terms.hold_period)
    give = rewards.hold if waits else rewards.credit
    if await give(record.session, record.referral, promised, at=record.now) is (
        PostingOutcome.INSUFFICIENT
    ):
        return await _defer(record)
    record.referral.awaits_funds = False
    await _announce_qualified(record)
    if not waits:
        return await _enter_rewarded(record, deposit, promised)
    return await _enter_held(record, assessed, promised, eligible=eligible)


async def release(record: Record, deposit: Deposit) -> Standing:
    """Credit the held rewards; from here on only what happens to this deposit counts."""
    held = await rewards.of_referral(record.session, record.referral.id)
    await rewards.release(record.session, record.referral, held, at=record.now)
    await reviews.close(record.session, record.referral.id)
    return await _enter_rewarded(record, deposit, held)


async def void(record: Record, stage: Stage, reason: str) -> Standing:
    """End without a reward: what was reserved goes back, what was deferred is dropped."""
    unpaid = await rewards.of_referral(record.session, record.referral.id)
    await rewards.void(record.session, record.referral, unpaid, at=record.now)
    await reviews.close(record.session, record.referral.id)
    record.referral.awaits_funds = False
    return await stages.enter_stage(
        record.session, record.referral, stage, until=record.now, at=record.now, reason=reason
    )


async def doubt(record: Record, assessed: AssessmentRow, *, eligible: bool) -> None:
    """Ask a person, once, with the reasons for doubting."""
    held = await rewards.of_referral(record.session, record.referral.id)
    reasons = (*assessed.reasons, *(() if eligible else ("player_not_eligible",)))
    await reviews.open_review(
        record.session,
        record.referral,
        score=assessed.score,
        reasons=reasons,
        amount=rewards.money_of(held[-1]),
        at=record.now,
    )


async def _void_if_deferred(record: Record) -> Standing:
    if record.referral.stage is Stage.DEFERRED:
        return await void(record, Stage.VOIDED, "the deposit was taken back while deferred")
    return record.standing


async def _promise(record: Record, deposit: Deposit) -> Sequence[Reward]:
    promised = promises(
        record.referral.id,
        record.terms,
        referrer_id=record.referral.referrer_id,
        referee_id=record.referee_id,
    )
    return await rewards.promise(
        record.session,
        record.referral,
        promised,
        deposit_event_id=deposit.event_id,
        held_until=record.now + record.terms.hold_period,
        at=record.now,
    )


async def _defer(record: Record) -> Standing:
    campaign = await load_schedule(record.session, record.referral.campaign_id)
    if campaign.has_ended(record.now):
        return await void(record, Stage.UNFUNDED, "the campaign ended without a budget for it")
    record.referral.awaits_funds = True
    return await stages.enter_stage(
        record.session,
        record.referral,
        Stage.DEFERRED,
        until=campaign.ends_at or record.now + DEFERRED_RECHECK_INTERVAL,
        at=record.now,
        reason="the campaign's budget is used up; it goes on when that is topped up",
    )


async def _enter_rewarded(record: Record, deposit: Deposit, issued: Sequence[Reward]) -> Standing:
    for reward in issued:
        reward.deposit_event_id = deposit.event_id
    record.referral.qualified_by = deposit.event_id
    record.referral.credited_at = record.now
    return await stages.enter_stage(
        record.session,
        record.referral,
        Stage.REWARDED,
        until=record.now + record.terms.chargeback_window,
        at=record.now,
        extra=_told(issued),
    )


async def _enter_held(
    record: Record, assessed: AssessmentRow, held: Sequence[Reward], *, eligible: bool
) -> Standing:
    wait, why = record.terms.hold_period, "in its hold period"
    if assessed.verdict is Verdict.REVIEW or not eligible:
        await doubt(record, assessed, eligible=eligible)
        wait, why = record.terms.review_period, "in review"
    return await stages.enter_stage(
        record.session,
        record.referral,
        Stage.HELD,
        until=record.now + wait,
        at=record.now,
        reason=why,
        extra=_told(held),
    )


async def _announce_qualified(record: Record) -> None:
    await outbox.write_referral_event(
        record.session,
        event_id=uuid5(record.referral.id, "qualified"),
        type_="ReferralQualified",
        referral=record.referral,
        at=record.now,
    )


def _block_reason(assessed: AssessmentRow) -> str:
    return f"fraud: {', '.join(assessed.reasons)}"


def _told(told: Sequence[Reward]) -> dict[str, object]:
    return {
        "rewards": [
            {
                "reward_id": str(reward.id),
                "reward_type": reward.reward_type.value,
                "player_id": reward.player_id,
                "amount": {"minor": reward.amount_minor, "currency": reward.currency},
                "status": RewardStatus(reward.status).value,
            }
            for reward in told
        ]
    }
