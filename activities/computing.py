"""Computing: the amounts of a referral's rewards, by what is recorded now or was when credited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.locked_referrals import LockedReferral
from db.tables import Reward
from domain.campaigns.amounts.computation import Computation
from domain.campaigns.rules import RewardKey
from domain.intake.facts import FactKind, Signup
from domain.lifecycle.referral import Stage
from domain.money import Money, clamp_sum
from domain.rewards.computed import (
    Frozen,
    compute_rewards,
    frozen_of,
    frozen_place,
    write_computation,
)
from domain.rewards.due import due
from domain.rewards.qualification import Qualification
from domain.rewards.reward import promised_rewards
from referrals.intake import facts
from referrals.rewards import transfers as rewards
from referrals.rewards.attempts import Attempt
from referrals.rewards.counting import count_rewarded


@dataclass(frozen=True, slots=True)
class Earned:
    """The rewards that a qualification earns, and what they would be credited with by now."""

    rewards: Sequence[Reward]
    amount: Money
    """Amount of all of them together; at least what was first written or reserved."""


async def compute_now(
    locked: LockedReferral, found: Qualification
) -> Mapping[RewardKey, Computation]:
    """Compute the rewards by what is recorded now; none where the terms are flat."""
    if not locked.terms.rules.rewards:
        return {}
    frozen = Frozen(
        count=await count_rewarded(locked.session, locked.referral, with_ordered=locked.has_wallet),
        jurisdiction=frozen_place(locked.terms, await _jurisdiction(locked)),
    )
    return compute_rewards(locked.terms, found.left, frozen)


async def compute_written(
    locked: LockedReferral, found: Qualification
) -> Mapping[RewardKey, Computation]:
    """Compute the rewards that may be written: while it is HELD only those that are reserved."""
    computed = await compute_now(locked, found)
    if not computed or locked.referral.stage is not Stage.HELD:
        return computed
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    reserved = {reward.key for reward in known}
    return {key: one for key, one in computed.items() if key in reserved}


async def write_promised(
    locked: LockedReferral, attempt: Attempt, found: Qualification
) -> Earned | None:
    """Write the rewards that a qualification earns by its terms; None where it earns nothing."""
    promised = promised_rewards(
        locked.referral.id,
        locked.terms,
        referrer_id=locked.referral.referrer_id,
        referee_id=locked.referee_id,
        computed=await compute_written(locked, found),
    )
    if not promised:
        return None
    written = await rewards.write_promised(
        locked.session,
        locked.referral,
        promised,
        qualification_id=attempt.qualification_id,
        deposit_event_id=found.fact_ids[0],
        held_until=attempt.begun_at + locked.terms.hold_period,
        at=locked.now,
        are_first=not (await locked.recorded()).has_rewards,
    )
    now = clamp_sum(sum(one.amount.minor for one in promised), promised[0].amount.currency)
    return Earned(written, max(now, rewards.total_of(written), key=lambda money: money.minor))


async def due_now(locked: LockedReferral, found: Qualification | None) -> Mapping[RewardKey, Money]:
    """Return what is due of each reward, and store how a computed one is found by now.

    A side that came to nothing when the rewards were written has none, and is due nothing.
    """
    if not locked.terms.rules.rewards:
        return due(found, locked.terms)
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    stored = [reward.computation for reward in known if reward.computation is not None]
    frozen = frozen_of(stored[0]) if stored else None
    wanted = due(found, locked.terms, frozen)
    if found is not None and frozen is not None and any(one.minor for one in wanted.values()):
        computed = compute_rewards(locked.terms, found.left, frozen)
        for reward in known:
            reward.computation = write_computation(computed[reward.key])
    return {reward.key: wanted[reward.key] for reward in known}


async def freeze(locked: LockedReferral, found: Qualification) -> None:
    """Store what the rewards are computed by at the moment of their credit.

    What it comes to, more or less than was reserved, is credited by the adjustment that follows.
    """
    computed = await compute_now(locked, found)
    if computed:
        for reward in await rewards.rewards_of_referral(locked.session, locked.referral.id):
            reward.computation = write_computation(computed[reward.key])


async def due_when_ordered(
    locked: LockedReferral, written: Sequence[Reward], *, is_begun: bool
) -> Mapping[Reward, int]:
    """Return what a wallet is to credit of each held reward, in minor units.

    What a computed one is found by is frozen here, unless the wallet has credited the other side
    already. What it comes to beyond what was reserved is credited by an adjustment afterwards.
    """
    found = await locked.qualification()
    if not locked.terms.rules.rewards or found is None:
        return {reward: reward.amount_minor for reward in written}
    if not is_begun:
        await freeze(locked, found)
    wanted = await due_now(locked, found)
    return {reward: min(reward.amount_minor, wanted[reward.key].minor) for reward in written}


async def _jurisdiction(locked: LockedReferral) -> str | None:
    signups = await facts.facts_of_player(locked.session, locked.referee_id, FactKind.SIGNUP)
    own = (fact for fact in signups if fact.event_id == locked.referral.signup_event_id)
    bound = next(own, None)
    return bound.jurisdiction if isinstance(bound, Signup) else None
