"""Payment orders: how much of a reward is sent, and under which reference."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.movements import Movement, transfer_id
from domain.money import Money
from domain.wallet.orders import (
    Direction,
    OrderKind,
    PlayerMoney,
    amount_to_send,
    order_id,
)

minor = st.integers(0, 10_000)
GROSS = Money(1000, "USD")


@pytest.mark.parametrize(
    ("owed", "reserved", "sent"),
    [(0, 0, 1000), (300, 0, 700), (1000, 0, 0), (4000, 0, 0), (300, 300, 1000), (700, 300, 600)],
)
def test_a_credit_goes_net_of_the_debt_that_no_earlier_one_recovers(
    owed: int, reserved: int, sent: int
) -> None:
    money = PlayerMoney(available_minor=0, owed_minor=owed, reserved_minor=reserved)
    for kind in (OrderKind.REWARD, OrderKind.REINSTATEMENT):
        assert amount_to_send(kind, GROSS, money).minor == sent


@pytest.mark.parametrize(
    ("available", "owed", "reserved", "sent"),
    [(1000, 1000, 0, 1000), (400, 1000, 0, 400), (1000, 300, 0, 300), (1000, 1000, 800, 200)],
)
def test_a_debit_takes_no_more_than_is_owed_or_was_given(
    available: int, owed: int, reserved: int, sent: int
) -> None:
    money = PlayerMoney(available_minor=available, owed_minor=owed, reserved_minor=reserved)
    assert amount_to_send(OrderKind.REVERSAL, GROSS, money).minor == sent


@given(kind=st.sampled_from(OrderKind), gross=minor, available=minor, owed=minor, reserved=minor)
def test_never_sends_more_than_the_reward_and_never_recovers_more_than_is_owed(
    kind: OrderKind, gross: int, available: int, owed: int, reserved: int
) -> None:
    money = PlayerMoney(available_minor=available, owed_minor=owed, reserved_minor=reserved)
    sent = amount_to_send(kind, Money(gross, "USD"), money).minor
    recovered = gross - sent if kind.direction is Direction.CREDIT else sent
    assert 0 <= sent <= gross
    assert recovered <= max(0, owed - reserved)


def test_a_first_try_has_the_id_of_its_transfer_and_each_other_one_its_own() -> None:
    reward_id = uuid4()
    first = order_id(reward_id, OrderKind.REWARD, cycle=0, attempt=1)
    assert first == transfer_id(reward_id, Movement.RELEASE, cycle=0)
    ids = {
        order_id(reward_id, kind, cycle=cycle, attempt=attempt)
        for kind in OrderKind
        for cycle in range(3)
        for attempt in range(1, 4)
    }
    assert len(ids) == 27
