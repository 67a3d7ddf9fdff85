"""The amounts due: each reward as it should be by today's facts and its terms."""

from domain.campaigns.exchange.local_terms import terms_in
from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.money import Money
from domain.rewards.computed import Frozen, amount_of, compute_rewards
from domain.rewards.qualification import Qualification


def due(
    qualification: Qualification | None, terms: Terms, frozen: Frozen | None = None
) -> dict[RewardKey, Money]:
    """Return the amount due of every reward that the terms promise, zero where nothing is due.

    `frozen` is what the rewards were computed by when they were credited; flat terms need none.
    """
    is_due = qualification is not None and _is_enough(qualification, terms)
    if terms.rules.rewards:
        return _computed(qualification if is_due else None, terms, frozen)
    promised = {
        RewardType.REFERRER: terms.referrer_reward,
        RewardType.REFEREE: terms.referee_reward,
    }
    return {
        RewardKey(side): Money(amount.minor * is_due, amount.currency)
        for side, amount in promised.items()
        if amount is not None and amount.minor > 0
    }


def _computed(
    qualification: Qualification | None, terms: Terms, frozen: Frozen | None
) -> dict[RewardKey, Money]:
    if qualification is None or frozen is None:
        currency = terms.minimum_deposit.currency
        return {rule.key: Money(0, currency) for rule in terms.rules.rewards}
    computed = compute_rewards(terms, qualification.left, frozen)
    currency = qualification.left.currency
    return {key: amount_of(one, currency=currency) for key, one in computed.items()}


def _is_enough(qualification: Qualification, terms: Terms) -> bool:
    left = qualification.left
    local = terms_in(terms, left.currency)
    return local is not None and left.minor >= max(1, local.minimum_deposit.minor)
