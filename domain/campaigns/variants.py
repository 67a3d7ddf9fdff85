"""Variants: rewards that a campaign promises to parts of its referrers, to compare them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from domain.campaigns.amounts.amount import Flat
from domain.campaigns.rules import RewardRule, RewardType
from domain.campaigns.terms import Terms
from domain.money import Money, RewardKind

PERCENT: Final = 100
"""Sum of the weights of a campaign's variants, and number of the buckets of referrers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedRewards:
    """The part of terms in which variants differ."""

    referrer_reward: Money
    referee_reward: Money | None
    rewards: tuple[RewardRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A share of a campaign's referrers, and the rewards that their invitations promise."""

    name: str
    weight: int
    """Percent of the referrers."""
    promised: PromisedRewards | None = None
    """Rewards of its own; None where they are the campaign's."""


def rewards_in(terms: Terms) -> PromisedRewards:
    return PromisedRewards(
        referrer_reward=terms.referrer_reward,
        referee_reward=terms.referee_reward,
        rewards=terms.rules.rewards,
    )


def flat_rewards(promised: PromisedRewards) -> tuple[RewardRule, ...]:
    """Return the flat cash that is promised beside the rules, as rules."""
    flat = {
        RewardType.REFERRER: promised.referrer_reward,
        RewardType.REFEREE: promised.referee_reward,
    }
    return tuple(
        RewardRule(to=to, kind=RewardKind.CASH, amount=Flat(money))
        for to, money in flat.items()
        if money is not None and money.minor
    )


def terms_of_variant(terms: Terms, variant: Variant | None) -> Terms:
    """Return a campaign's terms with the rewards of a variant."""
    if variant is None or variant.promised is None:
        return terms
    promised = variant.promised
    return replace(
        terms,
        referrer_reward=promised.referrer_reward,
        referee_reward=promised.referee_reward,
        rules=replace(terms.rules, rewards=promised.rewards),
    )


def variant_of(variants: Sequence[Variant], slug: str, referrer_id: str) -> Variant | None:
    """Return the variant of a referrer's invitations; None where a campaign has none."""
    index = index_of([variant.weight for variant in variants], slug, referrer_id)
    return None if index is None else variants[index]


def index_of(weights: Sequence[int], slug: str, referrer_id: str) -> int | None:
    """Return which of the weights a referrer falls under; None where there are none.

    It depends on the campaign's slug and the player alone, so that a referrer stays where they are
    for as long as the weights do, and each campaign splits its referrers anew.
    """
    bucket = bucket_of(slug, referrer_id)
    for index, weight in enumerate(weights):
        if bucket < weight:
            return index
        bucket -= weight
    return None


def bucket_of(slug: str, referrer_id: str) -> int:
    """Return the bucket of a referrer in a campaign, from 0 to 99."""
    # A slug contains no colon, so that no two pairs share a text.
    digest = sha256(f"{slug}:{referrer_id}".encode()).digest()
    return int.from_bytes(digest) % PERCENT
