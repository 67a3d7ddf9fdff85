"""The amounts due: each reward as it should be by today's facts and its terms."""

from domain.campaigns.rules import RewardType
from domain.campaigns.terms import Terms
from domain.money import Money
from domain.rewards.qualification import Qualification


def due(qualification: Qualification | None, terms: Terms) -> dict[RewardType, Money]:
    """Return the amount due of every reward that the terms promise, zero where nothing is due."""
    promised = {
        RewardType.REFERRER: terms.referrer_reward,
        RewardType.REFEREE: terms.referee_reward,
    }
    share = 1 if qualification is not None and _is_enough(qualification, terms) else 0
    return {
        side: Money(amount.minor * share, amount.currency)
        for side, amount in promised.items()
        if amount is not None and amount.minor > 0
    }


def _is_enough(qualification: Qualification, terms: Terms) -> bool:
    left, minimum = qualification.left, terms.minimum_deposit
    return left.currency == minimum.currency and left.minor >= max(1, minimum.minor)
