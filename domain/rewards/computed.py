"""Computed rewards: the amount of each side by the terms, and the record of how it was found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from domain.campaigns.amounts.amount import ByJurisdiction
from domain.campaigns.amounts.computation import Basis, Computation, compute
from domain.campaigns.amounts.reading import write_amount
from domain.campaigns.exchange.local_terms import money_of, rate_table_of
from domain.campaigns.exchange.rate_table import RateTable
from domain.campaigns.rules import RewardKey
from domain.campaigns.terms import Terms
from domain.campaigns.written import write_money
from domain.jurisdictions import canonical
from domain.money import Money

COMPUTATION_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """The part of a computation that later facts do not change."""

    count: int
    """Number of the referrer's rewarded referrals of the campaign, this one counted."""
    jurisdiction: str | None
    """The referee's place as the terms spell it, or as the signup does where they do not name it.

    Amounts are found by it as it is written, so that what an earlier release has credited by the
    signup's spelling stays what is due."""


def frozen_place(terms: Terms, told: str | None) -> str | None:
    """Return a signup's jurisdiction as the terms' amounts spell it, else as it was told."""
    amounts = (rule.amount for rule in terms.rules.rewards)
    named = [code for one in amounts if isinstance(one, ByJurisdiction) for code, _ in one.amounts]
    if told is None or told in named:
        return told
    return next((code for code in named if canonical(code) == canonical(told)), told)


def compute_rewards(terms: Terms, base: Money, frozen: Frozen) -> dict[RewardKey, Computation]:
    """Compute the rewards of terms with rules for them; none where the terms are flat."""
    basis = Basis(
        base=base,
        count=frozen.count,
        jurisdiction=frozen.jurisdiction,
        rate_table=rate_table_of(terms, base.currency),
        own_currency=terms.minimum_deposit.currency,
    )
    return {rule.key: compute(rule.amount, basis) for rule in terms.rules.rewards}


def amount_of(computation: Computation, *, currency: str) -> Money:
    """Return what a computation comes to, which may be nothing."""
    return computation.result or Money(0, currency)


def write_computation(computation: Computation) -> dict[str, Any]:
    """Return the record from which an amount can be computed again.

    `limit` is the bound to which a percentage was clamped. `rate` is null where nothing is
    converted; else it is the rate as it was published, or a fraction of two that have one base.
    """
    basis = computation.basis
    conversion = _write_conversion(computation)
    return {
        "version": COMPUTATION_VERSION,
        "amount": write_amount(computation.amount),
        "base": write_money(basis.base),
        "count": basis.count,
        "jurisdiction": basis.jurisdiction,
        "tier": computation.tier,
        "limit": computation.bound.value if computation.bound else None,
        "rate": conversion["rate"] if conversion else None,
        "rounding": computation.rounding.value if computation.rounding else None,
        **({"conversion": conversion} if conversion else {}),
    }


def _write_conversion(computation: Computation) -> dict[str, Any] | None:
    """Return how a sum of another currency was converted; None where nothing depends on a rate.

    A bound depends on one also where the percentage did not reach it: it may after a refund.
    `own_per_minor` is what a minor unit of what is paid counts towards limits, in minor units of
    the campaign's own currency.
    """
    basis, source = computation.basis, computation.converted_from
    table, currency, own = basis.rate_table, basis.base.currency, basis.own_currency
    is_compared = any(money.currency != currency for money in money_of(computation.amount))
    if table is None or (own == currency and not is_compared):
        return None
    is_counted = own is not None and own != currency and table.covers({own})
    return {
        "rates_id": table.id,
        "as_of": table.as_of.isoformat(),
        "source": table.source,
        "base": table.base,
        "from": write_money(source) if source else None,
        "to": currency,
        "rate": _shown_rate(table, source.currency, currency) if source else None,
        "own_per_minor": str(table.minor_per_minor(currency, own)) if own and is_counted else None,
    }


def _shown_rate(table: RateTable, source: str, target: str) -> str:
    if table.base == target:
        return table.rate_of(source)
    if table.base == source:
        return table.rate_of(target)
    return f"{table.rate_of(target)}/{table.rate_of(source)}"


def own_minor(computation: Mapping[str, Any] | None, amount: Money, currency: str) -> int:
    """Return what an amount counts in a campaign's own currency, rounded up to the minor unit.

    Nothing for an amount of another currency that was not converted.
    """
    if amount.currency == currency:
        return amount.minor
    per_minor = ((computation or {}).get("conversion") or {}).get("own_per_minor")
    return math.ceil(amount.minor * Fraction(per_minor)) if per_minor else 0


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
