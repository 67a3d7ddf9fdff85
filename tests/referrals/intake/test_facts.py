"""Facts as they are read back from what earlier releases recorded."""

import pytest

from domain.intake.facts import Deposit, FactKind
from domain.money import Money
from referrals.intake import facts
from tests import builders


@pytest.mark.parametrize("currency", ["usd", "", "bitcoin"])
def test_an_amount_that_release_0_2_recorded_in_no_currency_has_none(currency: str) -> None:
    body = facts.body_of(builders.deposit())
    body["amount"]["currency"] = currency
    found = facts.fact_of(FactKind.DEPOSIT, body)
    assert isinstance(found, Deposit)
    assert found.amount == Money(1000, facts.NO_CURRENCY)
