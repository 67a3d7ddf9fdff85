"""Check of the currencies that settings name."""

from collections.abc import Set as AbstractSet


def check_currencies(named: AbstractSet[str]) -> None:
    """Raise ValueError for a currency in which no event can be."""
    from referrals.intake.fields import CURRENCIES  # noqa: PLC0415 - slow to load

    unknown = sorted(named - CURRENCIES)
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is not an ISO 4217 currency code")
