"""Rewards: their types and statuses, and those that a referral's terms promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.campaigns.amounts.computation import Computation
from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.lifecycle.referral import Stage
from domain.money import Money, RewardKind


class RewardStatus(StrEnum):
    HELD = "HELD"
    ISSUED = "ISSUED"
    VOID = "VOID"
    REVERSED = "REVERSED"
    DEFERRED = "DEFERRED"


STATUS_AT_STAGE: Final = {
    Stage.DEFERRED: RewardStatus.DEFERRED,
    Stage.HELD: RewardStatus.HELD,
    Stage.REWARDED: RewardStatus.ISSUED,
    Stage.SETTLED: RewardStatus.ISSUED,
    Stage.REVERSED: RewardStatus.REVERSED,
    Stage.VOIDED: RewardStatus.VOID,
    Stage.REJECTED: RewardStatus.VOID,
    Stage.UNFUNDED: RewardStatus.VOID,
    Stage.EXPIRED: RewardStatus.VOID,
    Stage.LOST: RewardStatus.VOID,
}
"""The status of a referral's rewards, if it has any, at each stage that may have rewards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedReward:
    """The reward of one side of a referral; its id is derived, so that it exists once."""

    reward_id: UUID
    key: RewardKey
    player_id: str
    amount: Money
    computation: Computation | None = None
    """The record of how the amount was found; None for a flat one, which the terms state."""


def promised_rewards(
    referral_id: UUID,
    terms: Terms,
    *,
    referrer_id: str,
    referee_id: str,
    computed: Mapping[RewardKey, Computation] | None = None,
) -> tuple[PromisedReward, ...]:
    """Return the rewards of a referral that are over zero, as its terms promise or compute them."""
    computed = computed or {}
    flat = {
        RewardKey(RewardType.REFERRER): terms.referrer_reward,
        RewardKey(RewardType.REFEREE): terms.referee_reward,
    }
    players = {RewardType.REFERRER: referrer_id, RewardType.REFEREE: referee_id}
    amounts = {key: one.result for key, one in computed.items()} or flat
    return tuple(
        PromisedReward(
            reward_id=reward_id_of(referral_id, key),
            key=key,
            player_id=players[key.to],
            amount=amount,
            computation=computed.get(key),
        )
        for key, amount in amounts.items()
        if amount is not None and amount.minor > 0
    )


def reward_id_of(referral_id: UUID, key: RewardKey) -> UUID:
    """Derive a reward's id, so that it exists once."""
    name = key.to.value if key.kind is RewardKind.CASH else f"{key.to}:{key.kind}"
    return uuid5(referral_id, name)
