"""Amounts due of each reward, by what is left of its qualification."""

from dataclasses import replace

import pytest

from domain.campaigns.rules import RewardKey, RewardType
from domain.campaigns.terms import Terms
from domain.lifecycle.referral import Stage
from domain.money import Money
from domain.rewards.due import due
from domain.rewards.qualification import Qualification
from domain.rewards.reward import STATUS_AT_STAGE, RewardStatus
from tests.builders import NOW, TERMS, usd

BOTH = replace(TERMS, referee_reward=usd(500))
ALL, NOTHING = (1000, 500), (0, 0)


def left(amount: Money) -> Qualification:
    return Qualification(fact_ids=("d",), met_at=NOW, left=amount)


@pytest.mark.parametrize(
    ("found", "amounts"),
    [
        (left(usd(1000)), ALL),
        (left(usd(5000)), ALL),
        (left(usd(999)), NOTHING),
        (left(Money(5000, "EUR")), NOTHING),
        (None, NOTHING),
    ],
)
def test_all_is_due_while_the_minimum_is_left_and_nothing_otherwise(
    found: Qualification | None, amounts: tuple[int, int]
) -> None:
    referrer, referee = amounts
    assert due(found, BOTH) == {
        RewardKey(RewardType.REFERRER): usd(referrer),
        RewardKey(RewardType.REFEREE): usd(referee),
    }


@pytest.mark.parametrize(("minor", "amount"), [(1, 1000), (0, 0)])
def test_without_a_minimum_something_must_be_left(minor: int, amount: int) -> None:
    terms = replace(TERMS, minimum_deposit=usd(0))
    assert due(left(usd(minor)), terms) == {RewardKey(RewardType.REFERRER): usd(amount)}


@pytest.mark.parametrize(
    "terms", [TERMS, replace(TERMS, referee_reward=usd(0)), replace(BOTH, referrer_reward=usd(0))]
)
def test_nothing_is_said_of_a_side_that_is_promised_nothing(terms: Terms) -> None:
    promised = {
        RewardKey(RewardType.REFERRER): terms.referrer_reward,
        RewardKey(RewardType.REFEREE): terms.referee_reward,
    }
    assert due(left(usd(1000)), terms) == {
        side: amount for side, amount in promised.items() if amount and amount.minor
    }


def test_a_reward_has_the_status_of_its_referrals_stage() -> None:
    unpaid = (Stage.VOIDED, Stage.REJECTED, Stage.UNFUNDED, Stage.EXPIRED, Stage.LOST)
    assert {
        Stage.DEFERRED: RewardStatus.DEFERRED,
        Stage.HELD: RewardStatus.HELD,
        Stage.REWARDED: RewardStatus.ISSUED,
        Stage.SETTLED: RewardStatus.ISSUED,
        Stage.REVERSED: RewardStatus.REVERSED,
        **dict.fromkeys(unpaid, RewardStatus.VOID),
    } == STATUS_AT_STAGE


def test_a_reward_of_one_minor_unit_is_due() -> None:
    assert due(left(usd(1000)), replace(TERMS, referrer_reward=usd(1))) == {
        RewardKey(RewardType.REFERRER): usd(1)
    }
