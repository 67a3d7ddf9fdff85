"""Amounts of rewards as terms specify them."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from domain.money import Money

ANYWHERE: Final = "*"
"""The key of the amount for every jurisdiction that has none of its own."""


@dataclass(frozen=True, slots=True)
class Flat:
    money: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent:
    """A percentage of the base, rounded down to the minor unit, then clamped to its bounds."""

    hundredths: int
    """Hundredths of a percent, from 1 to 10,000."""
    minimum: Money | None = None
    maximum: Money | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    first: int
    """Number of the first rewarded referral that the tier counts for, from 1."""
    amount: Flat | Percent


@dataclass(frozen=True, slots=True)
class Tiered:
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class ByJurisdiction:
    """Amounts by the ISO 3166 code of the referee's signup, compared as a whole.

    `frozen_place` finds the terms' spelling of what the signup said.
    """

    amounts: tuple[tuple[str, Flat | Percent | Tiered], ...]


Amount: TypeAlias = Flat | Percent | Tiered | ByJurisdiction


def first_counts(amount: Amount) -> frozenset[int]:
    """Return the numbers of rewarded referrals from which an amount differs from those before."""
    match amount:
        case Tiered(tiers):
            return frozenset(tier.first for tier in tiers)
        case ByJurisdiction(amounts):
            return frozenset().union(*(first_counts(one) for _, one in amounts))
        case _:
            return frozenset()
