"""Amounts above which a second person must agree, as a setting writes them."""

import pytest

from domain.fraud.cases import SecondPersonLimits


def test_the_first_amount_counts_for_every_other_currency() -> None:
    limits = SecondPersonLimits.parse("500.5 USD, 450.00 EUR,60000 JPY, 1.2345 CLF")
    assert limits.minor("USD", digits=2) == 50_050
    assert limits.minor("EUR", digits=2) == 45_000
    assert limits.minor("JPY", digits=0) == 60_000
    assert limits.minor("KWD", digits=3) == 500_500
    assert limits.currencies == {"USD", "EUR", "JPY", "CLF"}


def test_an_amount_alone_counts_for_every_currency() -> None:
    limits = SecondPersonLimits.parse("500.00")
    assert limits.minor("USD", digits=2) == limits.minor("EUR", digits=2) == 50_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "500,00 USD",
        "1,000.00 USD",
        "500,00",
        "500.00 USD, 400",
        "500.005 USD",
        "500.5 JPY",
        "500.00 USD, 400.00 USD",
        "500.00 usd",
        "-1 USD",
    ],
)
def test_an_amount_that_would_be_another_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        SecondPersonLimits.parse(text)
