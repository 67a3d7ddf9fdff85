"""Tests of the rules of campaigns in words."""

from dataclasses import replace
from typing import Any

import pytest

from api.console.offers.words import (
    CONDITIONS,
    limit_in_words,
    qualifies_in_words,
    rewards_in_words,
)
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.amounts.reading import read_amount
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.rules import QualifyingAction, RewardRule, RewardType, Rules
from domain.money import RewardKind
from tests.builders import TERMS, usd

AMOUNTS = [
    ({"flat": {"minor": 2500, "currency": "USD"}}, "$25.00"),
    (
        {"percent": "12.5", "maximum": {"minor": 5000, "currency": "USD"}},
        "12.5% of the qualifying deposit, at most $50.00",
    ),
    (
        {
            "tiers": [
                {"from": 1, "flat": {"minor": 500, "currency": "USD"}},
                {"from": 2, "flat": {"minor": 1000, "currency": "USD"}},
                {"from": 6, "percent": "10", "minimum": {"minor": 1, "currency": "USD"}},
            ]
        },
        (
            "By the number of rewarded friends (Friend 1: $5.00; Friends 2 to 5: $10.00;"
            " From friend 6 on: 10% of the qualifying deposit, at least $0.01)"
        ),
    ),
    (
        {
            "by_jurisdiction": {
                "US-NJ": {"percent": "10"},
                "*": {"flat": {"minor": 500, "currency": "USD"}},
            }
        },
        (
            "By the place of the referee's signup (US-NJ: 10% of the qualifying deposit;"
            " Anywhere else: $5.00)"
        ),
    ),
]
LIMITS = [
    (
        {
            "of": "referrer",
            "per": "month",
            "rewards": 5,
            "amount": {"minor": 10000, "currency": "USD"},
        },
        "A referrer gets at most 5 rewards and $100.00 a month; more waits for the next period",
    ),
    (
        {"of": "campaign", "per": "campaign", "rewards": 1},
        "The campaign pays at most 1 reward in the whole campaign; more waits for a larger limit",
    ),
    (
        {"of": "campaign", "per": "tax_year", "rewards": 9, "over": "refuse"},
        "The campaign pays at most 9 rewards a tax year; more is refused",
    ),
]


@pytest.mark.parametrize(("written", "said"), AMOUNTS, ids=[said[:12] for _, said in AMOUNTS])
def test_says_how_an_amount_is_found(written: dict[str, Any], said: str) -> None:
    amount = read_amount(written, "amount", currency="USD")
    rule = RewardRule(to=RewardType.REFERRER, kind=RewardKind.CASH, amount=amount)
    ((side, words),) = rewards_in_words(replace(TERMS, rules=Rules(rewards=(rule,))))
    assert (side, str(words)) == ("To the referrer", said)


def test_names_the_kinds_of_rewards_that_one_side_gets() -> None:
    rules = tuple(
        RewardRule(to=RewardType.REFEREE, kind=kind, amount=Flat(usd(minor)))
        for kind, minor in ((RewardKind.CASH, 500), (RewardKind.BONUS_BET, 1000))
    )
    shown = rewards_in_words(replace(TERMS, rules=Rules(rewards=rules)))
    assert {side: str(words) for side, words in shown} == {
        "To the referee": "$5.00",
        "To the referee, as a bonus bet": "$10.00",
    }


def test_says_the_flat_rewards_of_simple_terms() -> None:
    terms = replace(TERMS, referrer_reward=usd(1000), referee_reward=usd(500))
    assert [(side, str(words)) for side, words in rewards_in_words(terms)] == [
        ("To the referrer", "$10.00"),
        ("To the referee", "$5.00"),
    ]


def test_writes_the_sums_of_conditions_with_cents_as_everywhere_in_the_console() -> None:
    ten = {"field": "deposit.amount", "op": "gte", "value": {"minor": 1000, "currency": "USD"}}
    condition = read_condition({"not": ten}, "terms.when")
    assert str(CONDITIONS.tree(condition)) == "Not (deposit amount is at least $10.00)"


@pytest.mark.parametrize(("written", "said"), LIMITS, ids=[said[:14] for _, said in LIMITS])
def test_says_what_a_limit_allows(written: dict[str, Any], said: str) -> None:
    (limit,) = read_limits([written], "limits", currency="USD")
    assert limit_in_words(limit) == said


@pytest.mark.parametrize(
    ("on", "said"),
    [
        (QualifyingAction.ANY_DEPOSIT, "A deposit of at least $10.00, within 30 days of the"),
        (QualifyingAction.FIRST_DEPOSIT, "The very first deposit, of at least $10.00, within"),
        (QualifyingAction.TOTAL_DEPOSITS, "Deposits of at least $10.00 together, within"),
    ],
)
def test_says_what_qualifies(on: QualifyingAction, said: str) -> None:
    terms = replace(TERMS, minimum_deposit=usd(1000), rules=Rules(on=on, turnover=usd(5000)))
    does, stakes = map(str, qualifies_in_words(terms))
    assert does.startswith(said)
    assert stakes == "Settled stakes of $50.00 meanwhile"


@pytest.mark.parametrize("on", QualifyingAction)
def test_says_that_a_deposit_of_any_size_qualifies_where_there_is_no_minimum(
    on: QualifyingAction,
) -> None:
    (does,) = qualifies_in_words(replace(TERMS, minimum_deposit=usd(0), rules=Rules(on=on)))
    assert "deposit, however small, within 30 days of the signup" in str(does)
