"""Amounts of money, exact and never negative."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

LARGEST_MINOR: Final = 10**15
"""Upper limit of one amount, and of one balance, in minor units."""
CURRENCY_PATTERN: Final = re.compile(r"[A-Z]{3}")
CURRENCY_DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Decimals of the ISO 4217 currencies that do not have two."""


def decimals_of(currency: str) -> int:
    """Return how many decimals of a currency its minor unit is."""
    return CURRENCY_DECIMALS.get(currency, 2)


class RewardKind(StrEnum):
    """Kind of a reward, and of the balance that it is credited to."""

    CASH = "cash"
    BONUS_BET = "bonus_bet"


@dataclass(frozen=True, slots=True)
class Money:
    """A whole number of minor units, such as cents, in one ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not 0 <= self.minor <= LARGEST_MINOR:
            raise ValueError(f"money is 0 to {LARGEST_MINOR} minor units, not {self.minor}")
        if not CURRENCY_PATTERN.fullmatch(self.currency):
            raise ValueError("a currency is three capital letters")

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)


class Amount(Protocol):
    """An amount of money of any size, such as a sum, where `Money` bounds one amount."""

    @property
    def minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def write_amount(amount: Amount) -> str:
    """Return an amount in units of its currency, for people and for programs: `1234.50 USD`."""
    decimals = decimals_of(amount.currency)
    whole, part = divmod(abs(amount.minor), 10**decimals)
    sign = "-" if amount.minor < 0 else ""
    return f"{sign}{whole}{f'.{part:0{decimals}}' if decimals else ''} {amount.currency}"


def clamp_sum(minor: int, currency: str) -> Money:
    """Return a sum of minor units as money; one beyond the largest amount is clamped to it."""
    return Money(min(minor, LARGEST_MINOR), currency)


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """Return the clamped sum for each currency, in the order of the currencies' names."""
    minor = Counter[str]()
    for amount in amounts:
        minor[amount.currency] += amount.minor
    return tuple(clamp_sum(total, currency) for currency, total in sorted(minor.items()))
