"""Computing: the amounts of a referral's rewards, by what is recorded now or was when credited."""

from collections.abc import Mapping

from activities.locked_referrals import LockedReferral
from domain.campaigns.amounts.computation import Computation
from domain.campaigns.rules import RewardType
from domain.intake.facts import FactKind, Signup
from domain.rewards.computed import Frozen, compute_rewards, frozen_of, write_computation
from domain.rewards.qualification import Qualification
from referrals.intake import facts
from referrals.rewards import transfers as rewards
from referrals.rewards.counting import count_rewarded


async def compute_now(
    locked: LockedReferral, found: Qualification
) -> Mapping[RewardType, Computation]:
    """Compute the rewards by what is recorded now; none where the terms are flat."""
    if not locked.terms.rules.rewards:
        return {}
    frozen = Frozen(
        count=await count_rewarded(locked.session, locked.referral),
        jurisdiction=await _jurisdiction(locked),
    )
    return compute_rewards(locked.terms, found.left, frozen)


async def freeze(locked: LockedReferral, found: Qualification) -> None:
    """Store what the rewards are computed by at the moment of their credit.

    What it comes to, more or less than was reserved, is credited by the adjustment that follows.
    """
    computed = await compute_now(locked, found)
    if computed:
        for reward in await rewards.rewards_of_referral(locked.session, locked.referral.id):
            reward.computation = write_computation(computed[reward.reward_type])


async def frozen_when_credited(locked: LockedReferral) -> Frozen | None:
    """Return what the credited rewards were computed by; None where the terms are flat."""
    if not locked.terms.rules.rewards:
        return None
    known = await rewards.rewards_of_referral(locked.session, locked.referral.id)
    stored = [reward.computation for reward in known if reward.computation is not None]
    return frozen_of(stored[0]) if stored else None


async def _jurisdiction(locked: LockedReferral) -> str | None:
    signups = await facts.facts_of_player(locked.session, locked.referee_id, FactKind.SIGNUP)
    own = (fact for fact in signups if fact.event_id == locked.referral.signup_event_id)
    bound = next(own, None)
    return bound.jurisdiction if isinstance(bound, Signup) else None
