"""Rewards: their types and statuses, and those that a referral's terms promise."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from domain.campaigns.rules import RewardType
from domain.campaigns.terms import Terms
from domain.lifecycle.referral import Stage
from domain.money import Money


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
    reward_type: RewardType
    player_id: str
    amount: Money


def promised_rewards(
    referral_id: UUID, terms: Terms, *, referrer_id: str, referee_id: str
) -> tuple[PromisedReward, ...]:
    sides = (
        (RewardType.REFERRER, referrer_id, terms.referrer_reward),
        (RewardType.REFEREE, referee_id, terms.referee_reward),
    )
    return tuple(
        PromisedReward(
            reward_id=uuid5(referral_id, side), reward_type=side, player_id=player, amount=amount
        )
        for side, player, amount in sides
        if amount is not None and amount.minor > 0
    )
