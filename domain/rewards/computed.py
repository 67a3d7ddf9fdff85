"""Computed rewards: the amount of each side by the terms, and the record of how it was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.campaigns.amounts.computation import Basis, Computation, compute
from domain.campaigns.amounts.reading import write_amount
from domain.campaigns.rules import RewardKey
from domain.campaigns.terms import Terms
from domain.campaigns.written import write_money
from domain.money import Money

COMPUTATION_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """The part of a computation that later facts do not change."""

    count: int
    """Number of the referrer's rewarded referrals of the campaign, this one counted."""
    jurisdiction: str | None
    """ISO 3166 code of the referee's signup."""


def compute_rewards(terms: Terms, base: Money, frozen: Frozen) -> dict[RewardKey, Computation]:
    """Compute the rewards of terms with rules for them; none where the terms are flat."""
    basis = Basis(base=base, count=frozen.count, jurisdiction=frozen.jurisdiction)
    return {rule.key: compute(rule.amount, basis) for rule in terms.rules.rewards}


def amount_of(computation: Computation, *, currency: str) -> Money:
    """Return what a computation comes to, which may be nothing."""
    return computation.result or Money(0, currency)


def write_computation(computation: Computation) -> dict[str, Any]:
    """Return the record from which an amount can be computed again.

    `limit` is the bound to which a percentage was clamped; `rate` is null: nothing is converted.
    """
    basis = computation.basis
    return {
        "version": COMPUTATION_VERSION,
        "amount": write_amount(computation.amount),
        "base": write_money(basis.base),
        "count": basis.count,
        "jurisdiction": basis.jurisdiction,
        "tier": computation.tier,
        "limit": computation.bound.value if computation.bound else None,
        "rate": None,
        "rounding": computation.rounding.value if computation.rounding else None,
    }


def write_flat(amount: Money) -> dict[str, Any]:
    """Return the record of a flat reward, which is not stored: the terms say all of it."""
    return {
        "version": COMPUTATION_VERSION,
        "amount": {"flat": write_money(amount)},
        "base": None,
        "count": None,
        "jurisdiction": None,
        "tier": None,
        "limit": None,
        "rate": None,
        "rounding": None,
    }


def frozen_of(stored: Mapping[str, Any]) -> Frozen:
    """Return what is frozen of a stored computation."""
    return Frozen(count=int(stored["count"]), jurisdiction=stored["jurisdiction"])
