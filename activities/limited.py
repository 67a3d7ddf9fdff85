"""Waiting for a limit or a release: a referral is paid whole, deferred or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from activities import computing
from activities.locked_referrals import LockedReferral
from db.tables import Reward
from domain.campaigns.limits.decision import Deferred, Fits, Refused
from domain.campaigns.limits.periods import Per
from domain.campaigns.limits.thresholds import OverThreshold
from domain.campaigns.rules import RewardKey
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.money import Money
from domain.rewards.holds import Hold, HoldReason
from referrals.campaigns import funds_queue, limits, limits_queue, tax_years
from referrals.campaigns.offers import load_schedule
from referrals.rewards import holds
from referrals.rewards.attempts import Attempt

LIMIT_RECHECK_INTERVAL: Final = timedelta(days=30)
"""Time until a limit of a campaign without an end is looked at again, although that wakes it."""
_WAKES_NEXT: Final = {
    HoldReason.LIMIT: limits_queue.wake_next,
    HoldReason.TAX: limits_queue.wake_next_taxed,
}

Beyond = Deferred | Refused | OverThreshold
NO_AMOUNTS: Final[Mapping[RewardKey, int]] = {}


async def find_limit(
    locked: LockedReferral, written: Sequence[Reward], *, is_credit: bool
) -> Beyond | None:
    """Return what the rewards exceed: before a hold, or at a credit that has risen."""
    is_held = locked.referral.stage is Stage.HELD
    if is_held and not is_credit:
        return None
    amounts = await _amounts_at_crediting(locked)
    if is_held and not _rises(written, amounts):
        return None
    decision = await judge(locked, written, amounts)
    return None if isinstance(decision, Fits) else decision


async def _amounts_at_crediting(locked: LockedReferral) -> Mapping[RewardKey, int]:
    """Return what a credit would come to by now, in minor units, where that decides on a place.

    Between a hold and its credit the count of a tier may have grown.
    """
    if not locked.terms.rules.rewards or not _counts_amounts(locked):
        return NO_AMOUNTS
    found = await locked.qualification()
    computed = await computing.compute_now(locked, found) if found else {}
    return {key: one.result.minor for key, one in computed.items() if one.result}


def _counts_amounts(locked: LockedReferral) -> bool:
    return bool(locked.thresholds) or any(limit.amount for limit in locked.terms.rules.limits)


def _rises(rewards: Sequence[Reward], amounts: Mapping[RewardKey, int]) -> bool:
    """Return whether rewards would be credited with more than took its place under the limits."""
    return any(amounts.get(reward.key, 0) > reward.amount_minor for reward in rewards)


async def judge(
    locked: LockedReferral,
    rewards: Sequence[Reward],
    amounts: Mapping[RewardKey, int] = NO_AMOUNTS,
    *,
    stand: bool = False,
) -> Fits | Beyond:
    """Decide whether the rewards fit their limits and their players' yearly thresholds.

    They take their place where they do. Those that `stand` credited have one, and rise.
    """
    decision: Fits | Beyond = await _judge_limits(locked, rewards, amounts, stand=stand)
    if isinstance(decision, Fits) and locked.thresholds:
        decision = await tax_years.judge(
            locked.session,
            locked.referral,
            rewards,
            amounts,
            thresholds=locked.thresholds,
            at=locked.now,
            tax_year_start=locked.tax_year_start,
            stand=stand,
        )
    if isinstance(decision, Fits):
        if locked.terms.rules.limits:
            limits.take_place(rewards, at=locked.now)
        # What stands was credited in its year, and stays in that year's statement.
        if locked.thresholds and not stand:
            tax_years.take_place(rewards, at=locked.now)
    return decision


async def _judge_limits(
    locked: LockedReferral,
    rewards: Sequence[Reward],
    amounts: Mapping[RewardKey, int],
    *,
    stand: bool,
) -> Fits | Deferred | Refused:
    if not locked.terms.rules.limits:
        return Fits()
    return await limits.judge(
        locked.session,
        locked.referral,
        locked.terms,
        rewards,
        amounts,
        at=locked.now,
        tax_year_start=locked.tax_year_start,
        stand=stand,
    )


async def defer(
    locked: LockedReferral, attempt: Attempt, decision: Deferred | OverThreshold
) -> Standing | None:
    """Defer a qualified referral to the next period; None where the campaign that counts ended."""
    until = decision.until
    if isinstance(decision, Deferred) and decision.limit.per is Per.CAMPAIGN:
        campaign = await load_schedule(locked.session, locked.referral.campaign_id)
        if campaign.has_ended(locked.now):
            return None
        until = campaign.ends_at
    await funds_queue.pass_on(locked.session, locked.referral)
    locked.referral.awaits_funds = False
    hold = _hold_of(locked, decision, until)
    await holds.set_holds(
        locked.session, locked.referral.id, [hold], attempt=attempt.number, at=locked.now
    )
    wakes_at = until or locked.now + LIMIT_RECHECK_INTERVAL
    return await locked.enter(Stage.DEFERRED, until=wakes_at, reason=ReasonCode(hold.reason))


async def hold_of_rise(
    locked: LockedReferral, rewards: Sequence[Reward], wanted: Mapping[RewardKey, Money]
) -> Hold | None:
    """Return the hold of rewards of which more is due than stands; None where that fits.

    What was reversed takes a new place; of what stands only the amount may exceed a limit.
    """
    stand = locked.referral.stage is not Stage.REVERSED
    if stand and not _counts_amounts(locked):
        return None
    amounts = {key: amount.minor for key, amount in wanted.items()}
    decision = await judge(locked, rewards, amounts, stand=stand)
    if isinstance(decision, Fits):
        return None
    until = None if isinstance(decision, Refused) else decision.until
    return _hold_of(locked, decision, until)


@dataclass(frozen=True, slots=True)
class Place:
    """Stage of a referral before its act, and the places that it waited for."""

    stage: Stage
    waited: frozenset[HoldReason]
    """Reasons of its open holds of a limit and of a yearly threshold."""


async def place_of(locked: LockedReferral) -> Place:
    return Place(locked.referral.stage, await _waits_for(locked))


async def pass_on(locked: LockedReferral, standing: Standing, *, left: Place) -> Standing:
    """Wake the next that wait for a place, if the referral's act took one or left one."""
    waits = await _waits_for(locked)
    is_moved = standing.stage is not left.stage
    for reason in _places(locked):
        if reason not in waits and (reason in left.waited or is_moved):
            await _WAKES_NEXT[reason](locked.session, locked.referral)
    return standing


def _places(locked: LockedReferral) -> list[HoldReason]:
    """Return what the referral may have to wait for: most terms and deployments have neither."""
    is_used = {HoldReason.LIMIT: locked.terms.rules.limits, HoldReason.TAX: locked.thresholds}
    return [reason for reason, used in is_used.items() if used]


async def _waits_for(locked: LockedReferral) -> frozenset[HoldReason]:
    if not _places(locked):
        return frozenset()
    return await limits_queue.waits_for(locked.session, locked.referral.id)


def _hold_of(locked: LockedReferral, decision: Beyond, until: datetime | None) -> Hold:
    if isinstance(decision, OverThreshold):
        reason, detail = HoldReason.TAX, decision.side.value
    else:
        reason, detail = HoldReason.LIMIT, decision.limit.name
    return Hold(reason=reason, since=locked.now, until=until, detail=(detail,))
