"""Bounds and sums of money."""

import pytest

from domain.money import Money, clamp_sum, totals, write_amount
from tests.builders import usd


@pytest.mark.parametrize("minor", [-1, 10**15 + 1])
def test_money_has_bounds(minor: int) -> None:
    with pytest.raises(ValueError, match=r"money is .* minor units"):
        Money(minor, "USD")


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "\0", "US\n", "ÄÖÜ"])
def test_money_has_a_currency_of_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(1, currency)


def test_money_of_two_currencies_is_not_added() -> None:
    assert usd(1) + usd(2) == usd(3)
    with pytest.raises(ValueError, match="cannot add"):
        usd(1) + Money(1, "EUR")


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(5000, "USD"), "50.00 USD"),
        (Money(7, "USD"), "0.07 USD"),
        (Money(5000, "JPY"), "5000 JPY"),
        (Money(5000, "KWD"), "5.000 KWD"),
    ],
)
def test_an_amount_is_written_in_units_of_its_currency(amount: Money, written: str) -> None:
    assert write_amount(amount) == written


@pytest.mark.parametrize(
    ("minor", "clamped"), [(0, 0), (10**15, 10**15), (10**15 + 1, 10**15), (10**30, 10**15)]
)
def test_a_sum_is_at_most_the_largest_amount(minor: int, clamped: int) -> None:
    assert clamp_sum(minor, "USD") == Money(clamped, "USD")


def test_totals_are_sums_of_each_currency_at_most_the_largest_amount() -> None:
    amounts = (usd(10**15), Money(5, "EUR"), usd(1), Money(6, "EUR"))
    assert totals(amounts) == (Money(11, "EUR"), usd(10**15))


@pytest.mark.parametrize("minor", [0, 10**15])
def test_the_bounds_themselves_are_amounts(minor: int) -> None:
    assert Money(minor, "USD").minor == minor
