"""Settings of money name currencies that exist."""

import pytest
from pydantic import ValidationError

from runtime.settings import Settings
from runtime.tax_settings import TaxSettings

ORIGIN = {"public_url": "https://refer.example", "token_key": "a key for the tests of tokens"}


@pytest.mark.parametrize("text", ["500.00 ZZZ", "500.00 USD, 400.00 XXX", "500,00 USD"])
def test_a_second_persons_amount_is_in_a_currency_that_exists(text: str) -> None:
    with pytest.raises(ValidationError, match="second_person_above"):
        Settings.model_validate({**ORIGIN, "second_person_above": text})


def test_a_tax_threshold_is_in_a_currency_that_exists() -> None:
    assert TaxSettings(tax_thresholds="600.00 USD").yearly_thresholds
    with pytest.raises(ValidationError, match="ZZZ is not an ISO 4217 currency code"):
        TaxSettings(tax_thresholds="600.00 ZZZ")
