"""Bounds and sums of money."""

import pytest

from domain.money import LARGEST_MINOR, Money
from tests.builders import usd


@pytest.mark.parametrize("minor", [-1, LARGEST_MINOR + 1])
def test_money_has_bounds(minor: int) -> None:
    with pytest.raises(ValueError, match=r"money is .* minor units"):
        Money(minor, "USD")


def test_money_of_two_currencies_is_not_added() -> None:
    assert usd(1) + usd(2) == usd(3)
    with pytest.raises(ValueError, match="cannot add"):
        usd(1) + Money(1, "EUR")
