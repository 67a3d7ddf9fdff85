"""Promises of rewards to both sides of a referral."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.campaigns.rules import RewardType
from domain.money import Money
from domain.rewards.reward import promised_rewards
from tests.builders import TERMS, usd

REFERRAL = UUID(int=7)


def test_each_side_is_promised_its_reward_once() -> None:
    both = replace(TERMS, referee_reward=usd(500))
    first, second = promised_rewards(REFERRAL, both, referrer_id="ann", referee_id="bob")
    assert (first.key.to, first.player_id, first.amount) == (
        RewardType.REFERRER,
        "ann",
        usd(1000),
    )
    assert (second.key.to, second.player_id, second.amount) == (
        RewardType.REFEREE,
        "bob",
        usd(500),
    )
    assert promised_rewards(REFERRAL, both, referrer_id="ann", referee_id="bob") == (first, second)


@pytest.mark.parametrize("amount", [None, usd(0)])
def test_a_side_without_an_amount_is_promised_nothing(amount: Money | None) -> None:
    terms = replace(TERMS, referee_reward=amount)
    (only,) = promised_rewards(REFERRAL, terms, referrer_id="ann", referee_id="bob")
    assert (only.key.to, only.player_id, only.amount) == (
        RewardType.REFERRER,
        "ann",
        usd(1000),
    )


def test_a_side_is_promised_even_one_minor_unit() -> None:
    terms = replace(TERMS, referrer_reward=usd(1), referee_reward=usd(1))
    promised = promised_rewards(REFERRAL, terms, referrer_id="ann", referee_id="bob")
    assert [reward.amount for reward in promised] == [usd(1), usd(1)]
