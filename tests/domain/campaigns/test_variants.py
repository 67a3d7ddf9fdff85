"""Variants: a stable split of referrers, rewards that differ, and the checks of a publication."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from domain.campaigns.amounts.amount import Percent
from domain.campaigns.publishing import Ceilings, Publishable, publishing_faults
from domain.campaigns.rules import RewardRule, RewardType, Rules
from domain.campaigns.terms import LinkOptions, Terms
from domain.campaigns.variants import (
    PromisedRewards,
    Variant,
    bucket_of,
    index_of,
    rewards_in,
    terms_of_variant,
    variant_of,
)
from domain.money import RewardKind
from tests.builders import NOW, TERMS, usd

TENTH = RewardRule(
    to=RewardType.REFERRER,
    kind=RewardKind.CASH,
    amount=Percent(hundredths=1000, minimum=None, maximum=None),
)

NO_CEILINGS = Ceilings()


def variant(name: str, weight: int, minor: int | None = None) -> Variant:
    if minor is None:
        return Variant(name=name, weight=weight)
    promised = PromisedRewards(referrer_reward=usd(minor), referee_reward=None, rewards=())
    return Variant(name=name, weight=weight, promised=promised)


def faults(ceilings: Ceilings = NO_CEILINGS, **offer: object) -> dict[str, str]:
    whole = Publishable(
        ends_at=NOW + timedelta(days=1),
        destination="https://book.example",
        link=LinkOptions(),
        budget=usd(100_000),
        terms=TERMS,
        expected_rewards=None,
    )
    found = publishing_faults(replace(whole, **offer), ceilings, at=NOW)  # type: ignore[arg-type]
    return {fault.field: fault.message for fault in found}


def test_a_referrer_stays_in_their_bucket_in_every_release() -> None:
    assert [bucket_of("spring", name) for name in ("ann", "bob", "cy")] == BUCKETS


BUCKETS = [52, 13, 97]
"""Computed once: a change of the function would move players who are in an experiment."""


def test_each_campaign_splits_its_referrers_anew_and_evenly() -> None:
    players = [f"player-{number}" for number in range(20_000)]
    spring, summer = ([bucket_of(slug, one) for one in players] for slug in ("spring", "summer"))

    for buckets in (spring, summer):
        counts = Counter(buckets)
        assert set(counts) == set(range(100))
        assert all(130 < number < 275 for number in counts.values())
    both = sum(one < 50 and other < 50 for one, other in zip(spring, summer, strict=True))
    assert 4_750 < both < 5_250


def test_weights_are_taken_in_their_order_and_cover_every_bucket() -> None:
    found = {index_of([20, 30, 50], "spring", f"player-{number}") for number in range(1000)}
    assert found == {0, 1, 2}
    assert index_of([], "spring", "ann") is None
    assert variant_of((), "spring", "ann") is None
    red, blue = variant("red", 52), variant("blue", 48)
    # The bucket of ann is 52, the first one behind the weight of red.
    assert variant_of((red, blue), "spring", "ann") == blue
    assert variant_of((replace(red, weight=53), blue), "spring", "ann").name == "red"  # type: ignore[union-attr]


def test_a_larger_weight_of_the_first_variant_moves_nobody_out_of_it() -> None:
    players = [f"player-{number}" for number in range(500)]
    firsts = [
        {one for one in players if index_of([weight, 100 - weight], "spring", one) == 0}
        for weight in (10, 40, 90)
    ]
    assert all(smaller < larger for smaller, larger in pairwise(firsts))


@pytest.mark.parametrize("base", [TERMS, replace(TERMS, rules=Rules(rewards=(TENTH,)))])
def test_the_terms_of_a_variant_differ_in_rewards_alone(base: Terms) -> None:
    fifteen = terms_of_variant(base, variant("fifteen", 50, 1500))
    assert rewards_in(fifteen) == PromisedRewards(
        referrer_reward=usd(1500), referee_reward=None, rewards=()
    )
    again = terms_of_variant(fifteen, Variant(name="base", weight=50, promised=rewards_in(base)))
    assert again == base
    assert terms_of_variant(base, variant("control", 50)) == terms_of_variant(base, None) == base


def test_no_variant_may_promise_more_than_the_ceiling_of_a_reward() -> None:
    variants = (variant("control", 50), variant("large", 50, 2001))
    found = faults(Ceilings(reward_minor=2000), variants=variants)
    assert found == {
        "variants[1].terms.referrer_reward.minor": "Must be at most 2000, the ceiling of a reward"
    }
    unbounded = Variant(
        name="tenth",
        weight=50,
        promised=PromisedRewards(referrer_reward=usd(0), referee_reward=None, rewards=(TENTH,)),
    )
    found = faults(variants=(variant("control", 50), unbounded), expected_rewards=1)
    assert set(found) == {"variants[1].terms.rewards[0].amount"}


def test_the_budget_must_cover_the_expected_rewards_by_the_weights() -> None:
    variants = (variant("control", 75), variant("double", 25, 2000))
    # 3 x (0.75 x 1000 + 0.25 x 2000) = 3,750
    assert faults(variants=variants, expected_rewards=3, budget=usd(3750)) == {}
    found = faults(variants=variants, expected_rewards=3, budget=usd(3749))
    assert found == {"budget.minor": "Must cover the expected rewards: 3750 minor units"}
