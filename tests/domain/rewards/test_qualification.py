"""Deposits that earn the reward."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intake.facts import (
    CLOCK_SKEW,
    Chargeback,
    Deposit,
    Fact,
    PlayerStatus,
    StatusChange,
    TakeBack,
)
from domain.money import Money
from domain.rewards.qualification import is_eligible, qualifying_deposit, taken_back_minor
from tests.builders import NOW, TERMS, chargeback, deposit, status_change, usd
from tests.domain.strategies import CHARGEBACKS, DEPOSITS, FACTS, PLAYER

ENDS = NOW + TERMS.deposit_window


def qualifying(*facts: Fact) -> Deposit | None:
    return qualifying_deposit(facts, TERMS, signed_up_at=NOW)


@pytest.mark.parametrize(
    ("paid", "qualifies"),
    [
        (deposit(minor=1000), True),
        (deposit(minor=999), False),
        (deposit(amount=Money(5000, "EUR")), False),
        (deposit(at=NOW - CLOCK_SKEW), True),
        (deposit(at=NOW - CLOCK_SKEW - timedelta(seconds=1)), False),
        (deposit(at=ENDS), True),
        (deposit(at=ENDS + timedelta(seconds=1)), False),
    ],
)
def test_which_single_deposits_qualify(paid: Deposit, *, qualifies: bool) -> None:
    assert qualifying(paid) == (paid if qualifies else None)


def test_the_earliest_qualifies_and_of_two_at_once_the_first_by_id() -> None:
    late, early = deposit(at=NOW + timedelta(days=2)), deposit(at=NOW + timedelta(days=1))
    twin = deposit(at=early.occurred_at)

    assert qualifying(late, early, twin) == min(early, twin, key=lambda d: d.event_id)


@pytest.mark.parametrize(
    ("takes", "left"),
    [
        ([], 1500),
        ([(TakeBack.REFUND, 400)], 1100),
        ([(TakeBack.REFUND, None)], 0),
        ([(TakeBack.CHARGEBACK, 400), (TakeBack.CHARGEBACK_WON, 400)], 1500),
        ([(TakeBack.CHARGEBACK_WON, 400)], 1500),
        ([(TakeBack.REFUND, 500), (TakeBack.CHARGEBACK_WON, 500)], 1000),
        ([(TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK, None)], 0),
        ([(TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK_WON, 600)], 600),
    ],
)
def test_the_rest_of_a_deposit_after_its_take_backs(
    takes: list[tuple[TakeBack, int | None]], left: int
) -> None:
    paid = deposit(minor=1500)
    facts = [chargeback(paid, kind, amount=m and usd(m)) for kind, m in takes]

    assert paid.amount.minor - taken_back_minor(paid, facts) == left


def test_take_backs_of_another_deposit_or_player_take_nothing() -> None:
    paid, other = deposit(PLAYER), deposit(PLAYER)
    stranger = deposit("stranger", deposit_id=paid.deposit_id)

    assert taken_back_minor(paid, [chargeback(other), chargeback(stranger)]) == 0


@given(facts=FACTS, draw=st.data())
def test_order_and_repetition_change_nothing(facts: list[Fact], draw: st.DataObject) -> None:
    shuffled = draw.draw(st.permutations(facts))

    assert qualifying(*shuffled) == qualifying(*facts)


@given(paid=DEPOSITS, facts=st.lists(CHARGEBACKS, max_size=8))
def test_no_more_is_taken_back_than_was_paid(paid: Deposit, facts: list[Chargeback]) -> None:
    assert 0 <= taken_back_minor(paid, facts) <= paid.amount.minor


@given(facts=FACTS)
def test_what_qualifies_is_a_deposit_of_at_least_the_minimum_in_its_window(
    facts: list[Fact],
) -> None:
    found = qualifying(*facts)
    if found:
        assert found in facts
        assert found.amount.minor - taken_back_minor(found, facts) >= TERMS.minimum_deposit.minor
        assert NOW - CLOCK_SKEW <= found.occurred_at <= ENDS


@pytest.mark.parametrize(
    ("statuses", "eligible"),
    [
        ([], True),
        ([PlayerStatus.VERIFIED], True),
        ([PlayerStatus.SELF_EXCLUDED], False),
        ([PlayerStatus.CLOSED], False),
        ([PlayerStatus.SELF_EXCLUDED, PlayerStatus.RESTORED], True),
        ([PlayerStatus.RESTORED, PlayerStatus.CLOSED], False),
    ],
)
def test_the_last_word_about_a_player_counts(
    statuses: list[PlayerStatus], *, eligible: bool
) -> None:
    said: list[StatusChange] = [
        status_change(PLAYER, status, at=NOW + timedelta(days=day))
        for day, status in enumerate(statuses)
    ]

    assert is_eligible(said) is eligible
    assert is_eligible(reversed(said)) is eligible
