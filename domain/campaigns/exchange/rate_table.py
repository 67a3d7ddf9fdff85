"""Rate tables: dated exchange rates of one base currency, and exact conversion by them."""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from domain.money import LARGEST_MINOR, Money, decimals_of

RATE_PATTERN: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,12})?", re.ASCII)
"""A decimal text below 10^9 with at most 12 places, and no exponent."""


class RateRounding(StrEnum):
    """Rounding of a conversion to the minor unit."""

    DOWN = "down"
    """The rounding of rewards, and of the sums that a deposit has to reach."""
    UP = "up"
    """The rounding of sums that count towards a limit, which is thus never exceeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTable:
    """The rates that one source published for one moment: 1 unit of the base is so much of each."""

    id: str
    as_of: datetime
    source: str
    base: str
    rates: tuple[tuple[str, str], ...]
    """Currencies with their decimal texts, the base not among them."""

    def covers(self, currencies: Collection[str]) -> bool:
        """Return whether every currency is the base or has a rate."""
        return {self.base, *dict(self.rates)}.issuperset(currencies)

    def rate_of(self, currency: str) -> str:
        """Return the decimal text of a currency's rate, 1 for the base; KeyError without one."""
        return "1" if currency == self.base else dict(self.rates)[currency]

    def minor_per_minor(self, source: str, target: str) -> Fraction:
        """Return how many minor units of one currency a minor unit of another one is, exactly."""
        scale = Fraction(10) ** (decimals_of(target) - decimals_of(source))
        return Fraction(self.rate_of(target)) / Fraction(self.rate_of(source)) * scale

    def convert(
        self, money: Money, currency: str, rounding: RateRounding = RateRounding.DOWN
    ) -> Money | None:
        """Convert money, or return None for a sum beyond the largest amount."""
        exact = money.minor * self.minor_per_minor(money.currency, currency)
        minor = math.floor(exact) if rounding is RateRounding.DOWN else math.ceil(exact)
        return Money(minor, currency) if minor <= LARGEST_MINOR else None


def same_rate(text: str) -> str:
    """Return the shortest text of a rate: equal rates have equal texts."""
    whole, _, places = text.partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places}" if places else whole
