"""Computation of a reward's amount, with a record from which it can be computed again."""

from dataclasses import dataclass
from enum import StrEnum

from domain.campaigns.amounts.amount import (
    ANYWHERE,
    Amount,
    ByJurisdiction,
    Flat,
    Percent,
    Tier,
    Tiered,
)
from domain.campaigns.exchange.rate_table import RateTable
from domain.money import Money

_WHOLE = 10_000
"""100 percent, in hundredths of a percent."""


class Bound(StrEnum):
    """The bound to which a percentage was clamped."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"


class Rounding(StrEnum):
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The figures that an amount is computed from."""

    base: Money
    """The rest of the qualifying deposit, or of the sum, after refunds and chargebacks."""
    count: int
    """Number of the referrer's rewarded referrals of the campaign, this one counted."""
    jurisdiction: str | None
    """ISO 3166 code of the referee's signup."""
    rate_table: RateTable | None = None
    """Rates by which sums of another currency than the base's are converted."""
    own_currency: str | None = None
    """The campaign's own currency, in which its limits are stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """An amount, the basis and the steps that led to it."""

    amount: Amount
    basis: Basis
    result: Money | None
    """The amount to pay: nothing if zero, or if None, where no jurisdiction matched."""
    tier: int | None = None
    """The `from` of the tier that counted."""
    bound: Bound | None = None
    rounding: Rounding | None = None
    """Rounding of a percentage or a conversion; other amounts are not rounded."""
    converted_from: Money | None = None
    """The sum as the terms state it, where it is converted into the base's currency."""


def compute(amount: Amount, basis: Basis) -> Computation:
    """Compute an amount in the base's currency.

    ValueError where a sum of another currency cannot be converted: without rates nothing is paid.
    """
    local = _local(amount, basis.jurisdiction)
    if local is None:
        return Computation(amount=amount, basis=basis, result=None)
    tier = _tier(local, basis.count) if isinstance(local, Tiered) else None
    simple = tier.amount if tier else local
    number = tier.first if tier else None
    if isinstance(simple, Flat):
        is_foreign = simple.money.currency != basis.base.currency
        return Computation(
            amount=amount,
            basis=basis,
            result=_in_base_currency(simple.money, basis),
            tier=number,
            rounding=Rounding.DOWN if is_foreign else None,
            converted_from=simple.money if is_foreign else None,
        )
    if not isinstance(simple, Percent):
        return Computation(amount=amount, basis=basis, result=None)
    result, bound = _percentage(simple, basis)
    bounds = {None: None, Bound.MINIMUM: simple.minimum, Bound.MAXIMUM: simple.maximum}
    stated = bounds[bound]
    return Computation(
        amount=amount,
        basis=basis,
        result=result,
        tier=number,
        bound=bound,
        rounding=Rounding.DOWN,
        converted_from=stated if stated and stated.currency != result.currency else None,
    )


def most_of(amount: Amount) -> tuple[Money, ...] | None:
    """Return the most an amount can come to in each currency; None where only its base says."""
    match amount:
        case Flat(money):
            return (money,)
        case Percent():
            return None if amount.maximum is None else (amount.maximum,)
        case Tiered(tiers):
            return _largest([most_of(tier.amount) for tier in tiers])
        case ByJurisdiction(amounts):
            return _largest([most_of(one) for _, one in amounts])


def least_of(amount: Amount) -> Flat | Percent:
    """Return what an amount promises at least: its first tier, or the smallest flat one."""
    match amount:
        case Tiered(tiers):
            return tiers[0].amount
        case ByJurisdiction(amounts):
            local = [least_of(one) for _, one in amounts]
            flat = [one for one in local if isinstance(one, Flat)]
            is_comparable = flat == local and len({one.money.currency for one in flat}) == 1
            return min(flat, key=lambda one: one.money.minor) if is_comparable else local[-1]
        case _:
            return amount


def _largest(amounts: list[tuple[Money, ...] | None]) -> tuple[Money, ...] | None:
    largest: dict[str, Money] = {}
    for bounded in amounts:
        if bounded is None:
            return None
        for money in bounded:
            known = largest.setdefault(money.currency, money)
            largest[money.currency] = max(known, money, key=lambda one: one.minor)
    return tuple(largest.values())


def _local(amount: Amount, jurisdiction: str | None) -> Flat | Percent | Tiered | None:
    if not isinstance(amount, ByJurisdiction):
        return amount
    amounts = dict(amount.amounts)
    anywhere = amounts.get(ANYWHERE)
    return anywhere if jurisdiction is None else amounts.get(jurisdiction, anywhere)


def _tier(tiered: Tiered, count: int) -> Tier | None:
    """Return the last tier that has begun at a count; a count below 1 has none."""
    begun = [tier for tier in tiered.tiers if tier.first <= count]
    return begun[-1] if begun else None


def _percentage(percent: Percent, basis: Basis) -> tuple[Money, Bound | None]:
    base = basis.base
    share = Money(base.minor * percent.hundredths // _WHOLE, base.currency)
    minimum, maximum = (
        bound and _in_base_currency(bound, basis) for bound in (percent.minimum, percent.maximum)
    )
    if minimum is not None and share.minor < minimum.minor:
        return minimum, Bound.MINIMUM
    if maximum is not None and share.minor > maximum.minor:
        return maximum, Bound.MAXIMUM
    return share, None


def _in_base_currency(money: Money, basis: Basis) -> Money:
    """Return money in the base's currency, rounded down to the minor unit."""
    currency, table = basis.base.currency, basis.rate_table
    if money.currency == currency:
        return money
    converted = table.convert(money, currency) if table is not None else None
    if converted is None:
        raise ValueError(f"cannot compare {money.currency} with {currency} without a rate")
    return converted
