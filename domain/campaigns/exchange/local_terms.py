"""Local terms: the terms of a campaign of several currencies, as they are in one of them."""

from collections.abc import Iterator
from dataclasses import replace

from domain.campaigns.amounts.amount import Amount, ByJurisdiction, Flat, Percent, Tiered
from domain.campaigns.conditions.fields import Value
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not, leaves
from domain.campaigns.exchange.rate_table import RateTable
from domain.campaigns.terms import Terms
from domain.money import Money


def currencies_of(terms: Terms) -> tuple[str, ...]:
    """Return the currencies in which a deposit may qualify, the campaign's own one first."""
    return terms.minimum_deposit.currency, *terms.rules.currencies


def earning_currencies(terms: Terms) -> tuple[str, ...]:
    """Return the currencies in which a deposit may still qualify: of written rewards theirs."""
    paid_in = terms.rules.paid_in
    return currencies_of(terms) if paid_in is None else (paid_in,)


def needed_currencies(terms: Terms, currency: str) -> frozenset[str]:
    """Return the currencies between which must be converted to pay in one; itself among them."""
    return frozenset({currency, *(money.currency for money in _stated(terms))})


def rate_table_of(terms: Terms, currency: str) -> RateTable | None:
    """Return the table by which terms are converted into a currency; None where there is none."""
    return dict(terms.rules.rate_tables).get(currency)


def terms_in(terms: Terms, currency: str) -> Terms | None:
    """Return terms whose minimum, turnover and condition are in one of the campaign's currencies.

    None for another currency, and where no rate is known, or one by which a sum is too large to be
    stated. Amounts of rewards and limits stay as
    they are written: what is paid is converted when it is computed.
    """
    own = terms.minimum_deposit.currency
    if not terms.rules.currencies:
        return terms if currency == own else None
    stated = (_money_in(terms, money, currency) for money in _stated(terms))
    if currency not in currencies_of(terms) or None in stated:
        return None
    minimum = _money_in(terms, terms.minimum_deposit, currency)
    turnover = terms.rules.turnover and _money_in(terms, terms.rules.turnover, currency)
    if minimum is None:
        return None
    when = terms.rules.when and _condition_in(terms, terms.rules.when, currency)
    return replace(
        terms,
        minimum_deposit=minimum,
        rules=replace(terms.rules, turnover=turnover, when=when),
    )


def _money_in(terms: Terms, money: Money, currency: str) -> Money | None:
    """Return money in a currency, rounded down; None where it is too much to be stated."""
    if money.currency == currency:
        return money
    if not money.minor:
        return Money(0, currency)
    table = rate_table_of(terms, currency)
    return table.convert(money, currency) if table is not None else None


def _condition_in(terms: Terms, condition: Condition, currency: str) -> Condition:
    match condition:
        case Leaf(field, op, value):
            if isinstance(value, tuple):
                each = tuple(_value_in(terms, one, currency) for one in value)
                return Leaf(field, op, each)
            return Leaf(field, op, _value_in(terms, value, currency))
        case Not(child):
            return Not(_condition_in(terms, child, currency))
        case AllOf(children):
            return AllOf(tuple(_condition_in(terms, child, currency) for child in children))
        case AnyOf(children):
            return AnyOf(tuple(_condition_in(terms, child, currency) for child in children))


def _value_in(terms: Terms, value: Value, currency: str) -> Value:
    """Return a condition's value; money of no currency of the campaign is left as it is."""
    if not isinstance(value, Money) or value.currency not in currencies_of(terms):
        return value
    return _money_in(terms, value, currency) or value


def _stated(terms: Terms) -> Iterator[Money]:
    """Yield every sum that has to be converted; nothing is the same in each currency."""
    if terms.minimum_deposit.minor:
        yield terms.minimum_deposit
    rules = terms.rules
    if rules.turnover is not None:
        yield rules.turnover
    yield from (limit.amount for limit in rules.limits if limit.amount is not None)
    for rule in rules.rewards:
        yield from money_of(rule.amount)
    if rules.when is not None:
        known = currencies_of(terms)
        yield from (money for money in _money_in_condition(rules.when) if money.currency in known)


def money_of(amount: Amount) -> Iterator[Money]:
    """Yield every sum that an amount states."""
    match amount:
        case Flat(money):
            yield money
        case Percent():
            yield from (money for money in (amount.minimum, amount.maximum) if money is not None)
        case Tiered(tiers):
            for tier in tiers:
                yield from money_of(tier.amount)
        case ByJurisdiction(amounts):
            for _, one in amounts:
                yield from money_of(one)


def _money_in_condition(condition: Condition) -> Iterator[Money]:
    for leaf in leaves(condition):
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        yield from (one for one in values if isinstance(one, Money))
