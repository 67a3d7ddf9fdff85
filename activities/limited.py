"""Waiting for a limit or a release: a referral is paid whole, deferred or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from activities import computing
from activities.locked_referrals import LockedReferral
from db.tables import Reward
from domain.campaigns.limits.decision import Deferred, Fits, Refused, Used
from domain.campaigns.limits.periods import Per
from domain.campaigns.limits.thresholds import OverThreshold
from domain.campaigns.rules import RewardKey
from domain.lifecycle.reasons import ReasonCode
from domain.lifecycle.referral import Stage, Standing
from domain.money import LARGEST_MINOR, Money
from domain.rewards.holds import Hold, HoldReason
from referrals.campaigns import funds_queue, limits, limits_queue, tax_years
from referrals.campaigns.offers import load_schedule
from referrals.campaigns.places.passing_on import Need, Wait, waits_of
from referrals.rewards import holds, transfers
from referrals.rewards.attempts import Attempt

LIMIT_RECHECK_INTERVAL: Final = timedelta(days=30)
"""Time until a limit of a campaign without an end is looked at again, although that wakes it."""
_WAKES_FIRST: Final = {
    HoldReason.LIMIT: limits_queue.wake_first,
    HoldReason.TAX: limits_queue.wake_first_taxed,
}
_WAKES_NEXT: Final = {
    HoldReason.LIMIT: limits_queue.wake_next,
    HoldReason.TAX: limits_queue.wake_next_taxed,
}
_IN_PLACE: Final = frozenset({Stage.HELD, Stage.REWARDED, Stage.SETTLED})
"""Stages in which a referral's rewards count under its limits."""

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
    waits: Mapping[HoldReason, Wait]
    """Its open holds of a limit and of a yearly threshold."""


async def place_of(locked: LockedReferral) -> Place:
    return Place(locked.referral.stage, await _waits_of(locked))


async def pass_on(locked: LockedReferral, standing: Standing, *, left: Place) -> Standing:
    """Wake those that wait for the place that the referral's act left, or did not take.

    One that took a place wakes a reinstatement whose period has ended, which has no timer. One that
    waits on for the same limit lets those behind it try that need less.
    """
    waits = await _waits_of(locked)
    has_left = left.stage in _IN_PLACE and standing.stage not in _IN_PLACE
    has_taken = standing.stage in _IN_PLACE and left.stage not in _IN_PLACE
    for reason in _places(locked):
        before, now = left.waits.get(reason), waits.get(reason)
        if has_left or (has_taken and before is None):
            ended_by = None if has_left else locked.now
            await _WAKES_FIRST[reason](locked.session, locked.referral, ended_by=ended_by)
        elif before is not None:
            waits_on = now is not None and now.waits_for == before.waits_for
            need = await _need_of(locked, reason, before) if waits_on else None
            wake_next = _WAKES_NEXT[reason]
            await wake_next(locked.session, locked.referral, before, need, at=locked.now)
    return standing


async def _need_of(locked: LockedReferral, reason: HoldReason, wait: Wait) -> Need:
    """Return what a waiting referral needs of what it waits for, as it was judged."""
    written = await transfers.rewards_of_referral(locked.session, locked.referral.id)
    amounts = await _amounts_needed(locked, written)
    if reason is HoldReason.TAX:
        player_id = limits_queue.player_of(locked.referral, wait)
        own = [reward for reward in written if reward.player_id == player_id]
        minor = sum(max(reward.amount_minor, amounts.get(reward.key, 0)) for reward in own)
        return Need(Used(minor=minor), written[0].currency)
    named = [limit for limit in locked.terms.rules.limits if limit.name == wait.waits_for]
    needs = [limits.need_of(limit, written, amounts) for limit in named]
    currency = next((limit.amount.currency for limit in named if limit.amount), None)
    return Need(max(needs, key=lambda need: need.minor, default=Used()), currency)


async def _amounts_needed(
    locked: LockedReferral, written: Sequence[Reward]
) -> Mapping[RewardKey, int]:
    """Return amounts that a waiting referral needs at most, in minor units.

    What a rise or a reinstatement needs is judged in its act alone: everybody behind it may try.
    """
    if locked.referral.stage is Stage.DEFERRED:
        return await _amounts_at_crediting(locked)
    return {reward.key: LARGEST_MINOR for reward in written}


def _places(locked: LockedReferral) -> list[HoldReason]:
    """Return what the referral may have to wait for: most terms and deployments have neither."""
    is_used = {HoldReason.LIMIT: locked.terms.rules.limits, HoldReason.TAX: locked.thresholds}
    return [reason for reason, used in is_used.items() if used]


async def _waits_of(locked: LockedReferral) -> Mapping[HoldReason, Wait]:
    if not _places(locked):
        return {}
    return await waits_of(locked.session, locked.referral.id)


def _hold_of(locked: LockedReferral, decision: Beyond, until: datetime | None) -> Hold:
    if isinstance(decision, OverThreshold):
        reason, detail = HoldReason.TAX, decision.side.value
    else:
        reason, detail = HoldReason.LIMIT, decision.limit.name
    return Hold(reason=reason, since=locked.now, until=until, detail=(detail,))
