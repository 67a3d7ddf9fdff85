"""Exchange: exact conversion between currencies of other decimals, and terms in each currency."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.amounts.amount import Flat, Percent
from domain.campaigns.amounts.computation import Basis, Rounding, compute
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.exchange.local_terms import needed_currencies, terms_in
from domain.campaigns.exchange.rate_table import RateRounding, RateTable, same_rate
from domain.campaigns.rules import RewardRule, RewardType, Rules
from domain.campaigns.terms import Terms
from domain.money import LARGEST_MINOR, Money, RewardKind, decimals_of
from domain.rewards.computed import own_minor, write_computation
from tests.builders import TERMS, usd

TABLE: Final = RateTable(
    id="5b0c5c1e-2f0e-4d59-9a3c-6a0f3b1f7a55",
    as_of=datetime(2026, 2, 1, tzinfo=UTC),
    source="bank",
    base="USD",
    rates=(("EUR", "0.92"), ("JPY", "151.3"), ("KWD", "0.3071")),
)
FLAT: Final = RewardRule(to=RewardType.REFERRER, kind=RewardKind.CASH, amount=Flat(usd(1000)))
_RATES = st.decimals("0.000001", "999999", places=6).map(str)


def several(*tables: tuple[str, RateTable], **rules: object) -> Terms:
    plain = Rules(rewards=(FLAT,), currencies=("EUR", "JPY"), rate_tables=tables)
    return replace(TERMS, referrer_reward=usd(0), rules=replace(plain, **rules))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("money", "currency", "minor"),
    [
        (usd(1000), "EUR", 920),
        (usd(1000), "JPY", 1513),
        (usd(1000), "KWD", 3071),
        (usd(1), "JPY", 1),
        (Money(1, "EUR"), "USD", 1),
        (Money(1000, "EUR"), "USD", 1086),
        (Money(1000, "JPY"), "KWD", 2029),
        (Money(1001, "KWD"), "JPY", 493),
        (usd(0), "EUR", 0),
    ],
)
def test_converts_between_currencies_of_other_decimals(
    money: Money, currency: str, minor: int
) -> None:
    assert TABLE.convert(money, currency) == Money(minor, currency)


@pytest.mark.parametrize("direction", ["from the base", "to the base"])
@given(st.integers(0, 10**12), _RATES, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_a_conversion_is_exact_but_for_its_rounding(
    direction: str, minor: int, rate: str, currency: str
) -> None:
    table = replace(TABLE, rates=((currency, rate),))
    source, target = (currency, "USD") if direction == "to the base" else ("USD", currency)
    unit = 1 / Fraction(rate) if direction == "to the base" else Fraction(rate)
    exact = minor * unit * Fraction(10) ** (decimals_of(target) - decimals_of(source))
    if exact >= LARGEST_MINOR:
        return
    down = table.convert(Money(minor, source), target)
    up = table.convert(Money(minor, source), target, RateRounding.UP)
    assert down is not None
    assert up is not None
    assert 0 <= exact - down.minor < 1
    assert 0 <= up.minor - exact < 1


@given(st.integers(0, 10**9), st.integers(0, 10**9), _RATES)
def test_more_never_converts_to_less(one: int, other: int, rate: str) -> None:
    table = replace(TABLE, rates=(("EUR", rate),))
    less, more = (table.convert(usd(minor), "EUR") for minor in sorted((one, other)))
    assert more is None or (less is not None and less.minor <= more.minor)


def test_a_sum_beyond_the_largest_is_not_stated() -> None:
    table = replace(TABLE, rates=(("EUR", "999999999"),))
    assert table.convert(usd(LARGEST_MINOR), "EUR") is None
    assert terms_in(replace(several(("EUR", table)), minimum_deposit=usd(10**14)), "EUR") is None


@pytest.mark.parametrize(
    ("one", "other"), [("0.92", "0.9200"), ("3", "3.000"), ("0.5", "0.50"), ("100", "100.0")]
)
def test_equal_rates_have_one_spelling(one: str, other: str) -> None:
    assert same_rate(one) == same_rate(other) == one


def test_terms_in_another_currency_have_its_minimum_turnover_and_condition() -> None:
    written = {
        "all": [
            {"field": "deposit.amount", "op": "gte", "value": {"minor": 2500, "currency": "USD"}},
            {"not": {"field": "deposit.method", "op": "eq", "value": "voucher"}},
        ]
    }
    local_written = {
        "all": [
            {"field": "deposit.amount", "op": "gte", "value": {"minor": 2300, "currency": "EUR"}},
            {"not": {"field": "deposit.method", "op": "eq", "value": "voucher"}},
        ]
    }
    terms = several(("EUR", TABLE), turnover=usd(5000), when=read_condition(written, "terms.when"))
    local = terms_in(terms, "EUR")
    assert local is not None
    assert local.minimum_deposit == Money(920, "EUR")
    assert local.rules.turnover == Money(4600, "EUR")
    assert local.rules.when == read_condition(local_written, "terms.when")
    assert local.rules.rewards == terms.rules.rewards


def test_terms_are_unknown_in_a_currency_without_a_rate_or_without_a_budget() -> None:
    terms = several(("EUR", TABLE))
    assert terms_in(terms, "JPY") is None
    assert terms_in(terms, "GBP") is None
    assert terms_in(terms, "USD") is not None


def test_a_rate_is_needed_only_for_what_is_stated_in_another_currency() -> None:
    tenth = RewardRule(
        to=RewardType.REFERRER, kind=RewardKind.CASH, amount=Percent(hundredths=1000)
    )
    terms = replace(several(rewards=(tenth,)), minimum_deposit=usd(0))
    assert needed_currencies(terms, "EUR") == {"EUR"}
    assert terms_in(terms, "EUR") == replace(terms, minimum_deposit=Money(0, "EUR"))


@pytest.mark.parametrize(
    ("amount", "base", "minor", "rate"),
    [
        (Flat(usd(1000)), Money(5000, "EUR"), 920, "0.92"),
        (Flat(Money(1000, "EUR")), usd(5000), 1086, "0.92"),
        (Flat(Money(1000, "EUR")), Money(5000, "JPY"), 1644, "151.3/0.92"),
        (Percent(hundredths=1000, maximum=usd(100)), Money(5000, "EUR"), 92, "0.92"),
        (Percent(hundredths=1000, maximum=usd(10_000)), Money(5000, "EUR"), 500, None),
        (Flat(usd(1000)), usd(5000), 1000, None),
    ],
)
def test_what_is_paid_is_converted_into_the_deposit_s_currency(
    amount: Flat | Percent, base: Money, minor: int, rate: str | None
) -> None:
    basis = Basis(base=base, count=1, jurisdiction=None, rate_table=TABLE, own_currency="USD")
    computed = compute(amount, basis)
    written = write_computation(computed)
    assert computed.result == Money(minor, base.currency)
    assert written["rate"] == rate
    assert (written["rounding"] == Rounding.DOWN) is (rate is not None or minor == 500)


def test_nothing_is_paid_without_a_rate() -> None:
    with pytest.raises(ValueError, match="EUR"):
        compute(Flat(usd(1000)), Basis(base=Money(5000, "EUR"), count=1, jurisdiction=None))


@given(st.integers(1, 10**9), _RATES)
def test_what_counts_towards_a_limit_is_never_less_than_what_was_promised(
    minor: int, rate: str
) -> None:
    table = replace(TABLE, rates=(("EUR", rate),))
    base = Money(10**6, "EUR")
    if table.convert(usd(minor), "EUR") is None:
        return
    basis = Basis(base=base, count=1, jurisdiction=None, rate_table=table, own_currency="USD")
    computed = compute(Flat(usd(minor)), basis)
    assert computed.result is not None
    counted = own_minor(write_computation(computed), computed.result, "USD")
    exact = computed.result.minor / Fraction(rate)
    assert 0 <= counted - exact < 1
    assert counted <= minor
    assert own_minor(None, usd(minor), "USD") == minor
