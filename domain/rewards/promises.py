"""What a referral promises to whom, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from domain.campaigns.terms import Terms
from domain.money import Money


class RewardType(StrEnum):
    REFERRER = "referrer"
    REFEREE = "referee"


class RewardStatus(StrEnum):
    HELD = "HELD"
    ISSUED = "ISSUED"
    VOID = "VOID"
    REVERSED = "REVERSED"
    DEFERRED = "DEFERRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One side's reward of one referral; its id is derived, so it is promised once."""

    reward_id: UUID
    reward_type: RewardType
    player_id: str
    amount: Money


def promises(
    referral_id: UUID, terms: Terms, *, referrer_id: str, referee_id: str
) -> tuple[Promise, ...]:
    sides = (
        (RewardType.REFERRER, referrer_id, terms.referrer_reward),
        (RewardType.REFEREE, referee_id, terms.referee_reward),
    )
    return tuple(
        Promise(
            reward_id=uuid5(referral_id, side), reward_type=side, player_id=player, amount=amount
        )
        for side, player, amount in sides
        if amount is not None and amount.minor > 0
    )
