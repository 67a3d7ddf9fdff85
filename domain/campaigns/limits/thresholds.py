"""Yearly thresholds of a player's rewards over all campaigns, up to which no form is needed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.campaigns.rules import RewardType
from domain.money import LARGEST_MINOR, Money, decimals_of

WARNING: Final = 75
"""Percent of a threshold from which people are warned that it comes near."""
REACHED: Final = 100
_AMOUNT: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,4}))? ([A-Z]{3})", re.ASCII)

Thresholds = Mapping[str, Money]
"""A threshold for each currency that has one."""
NO_THRESHOLDS: Final[Thresholds] = {}


@dataclass(frozen=True, slots=True)
class OverThreshold:
    """A player's rewards wait for a release, or for the next tax year."""

    side: RewardType
    """The side of the referral on which the player is."""
    until: datetime
    """First instant of the next tax year."""


def parse_thresholds(text: str | None) -> Thresholds:
    """Parse `600.00 USD, 500.00 EUR`; ValueError says what is wrong."""
    found: dict[str, Money] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        match = _AMOUNT.fullmatch(part.strip())
        if match is None:
            raise ValueError("amounts are written as 600.00 USD, separated by commas")
        whole, fraction, currency = match[1], match[2] or "", match[3]
        decimals = decimals_of(currency)
        minor = int(whole + fraction.ljust(decimals, "0"))
        if len(fraction) > decimals or not 0 < minor <= LARGEST_MINOR or currency in found:
            raise ValueError("each currency has one amount, more than nothing, in its own decimals")
        found[currency] = Money(minor, currency)
    return found


def comes_near(before_minor: int, after_minor: int, threshold: Money) -> bool:
    """Return whether an amount reaches the part of a threshold from which people are warned."""
    bound = threshold.minor * WARNING
    return before_minor * REACHED < bound <= after_minor * REACHED
