"""Tests of amounts: reading, printing back, and exact computation."""

from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.amounts.amount import Amount, ByJurisdiction, Flat, Percent, Tier, Tiered
from domain.campaigns.amounts.computation import Basis, Bound, Rounding, compute, most_of
from domain.campaigns.amounts.reading import read_amount, write_amount
from domain.campaigns.faults import TermsFaultError
from domain.money import Money

PATH: Final = "terms.rewards[0].amount"
_MINOR: Final = st.integers(0, 10**9)
_MONEY: Final = st.builds(Money, st.integers(1, 10**6), st.just("USD"))
_FLATS: Final = _MONEY.map(Flat)


@st.composite
def _percents(draw: st.DrawFn) -> Percent:
    low, high = sorted((draw(_MONEY), draw(_MONEY)), key=lambda money: money.minor)
    return Percent(
        hundredths=draw(st.integers(1, 10_000)),
        minimum=low if draw(st.booleans()) else None,
        maximum=high if draw(st.booleans()) else None,
    )


_SIMPLE: Final = st.one_of(_FLATS, _percents())


@st.composite
def _tiered(draw: st.DrawFn) -> Tiered:
    later = draw(st.lists(st.integers(2, 100), max_size=4, unique=True))
    return Tiered(tuple(Tier(first, draw(_SIMPLE)) for first in [1, *sorted(later)]))


_LOCAL: Final = st.one_of(_SIMPLE, _tiered())
_PLACES: Final = st.lists(st.sampled_from(["US-NJ", "BR", "*"]), min_size=1, unique=True)


@st.composite
def _by_jurisdiction(draw: st.DrawFn) -> ByJurisdiction:
    return ByJurisdiction(tuple((code, draw(_LOCAL)) for code in draw(_PLACES)))


AMOUNTS: Final[st.SearchStrategy[Amount]] = st.one_of(_LOCAL, _by_jurisdiction())


def _basis(minor: int = 0, *, count: int = 1, jurisdiction: str | None = "US-NJ") -> Basis:
    return Basis(base=Money(minor, "USD"), count=count, jurisdiction=jurisdiction)


def _usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@given(AMOUNTS)
def test_prints_back_what_it_reads(amount: Amount) -> None:
    written = write_amount(amount)
    assert read_amount(written, PATH, currency="USD") == amount
    assert write_amount(read_amount(written, PATH, currency="USD")) == written


def test_places_within_places_are_refused_however_deep_they_are() -> None:
    written: dict[str, Any] = {"flat": _usd(5)}
    for _ in range(5000):
        written = {"by_jurisdiction": {"*": written}}
    with pytest.raises(TermsFaultError, match="Must not name jurisdictions again") as fault:
        read_amount(written, PATH, currency="USD")
    assert fault.value.path == f"{PATH}.by_jurisdiction.*"


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (5, ""),
        ({}, ""),
        ({"flat": _usd(5), "percent": "5"}, ""),
        ({"flat": _usd(0)}, ".flat.minor"),
        ({"flat": _usd(5), "maximum": _usd(9)}, ".maximum"),
        ({"flat": {"minor": 5, "currency": "EUR"}}, ".flat.currency"),
        ({"percent": 10}, ".percent"),
        ({"percent": "0"}, ".percent"),
        ({"percent": "0.00"}, ".percent"),
        ({"percent": "100.01"}, ".percent"),
        ({"percent": "1e1"}, ".percent"),
        ({"percent": "05"}, ".percent"),
        ({"percent": "+5"}, ".percent"),
        ({"percent": "5."}, ".percent"),
        ({"percent": "5.125"}, ".percent"),
        ({"percent": "\u0665"}, ".percent"),
        ({"percent": "5", "minimum": _usd(9), "maximum": _usd(8)}, ".maximum"),
        ({"percent": "5", "maximum": _usd(0)}, ".maximum.minor"),
        ({"percent": "5", "minimum": 3}, ".minimum"),
        ({"tiers": []}, ".tiers"),
        ({"tiers": [{"from": 2, "flat": _usd(5)}]}, ".tiers[0].from"),
        ({"tiers": [{"from": True, "flat": _usd(5)}]}, ".tiers[0].from"),
        (
            {"tiers": [{"from": 1, "flat": _usd(5)}, {"from": 1, "flat": _usd(6)}]},
            ".tiers[1].from",
        ),
        ({"tiers": [{"from": 1, "tiers": []}]}, ".tiers[0]"),
        ({"by_jurisdiction": {}}, ".by_jurisdiction"),
        ({"by_jurisdiction": {"nj": {"flat": _usd(5)}}}, ".by_jurisdiction.nj"),
        (
            {"by_jurisdiction": {"BR": {"by_jurisdiction": {"*": {"flat": _usd(5)}}}}},
            ".by_jurisdiction.BR",
        ),
    ],
)
def test_names_the_path_of_what_is_wrong(written: object, path: str) -> None:
    with pytest.raises(TermsFaultError) as raised:
        read_amount(written, PATH, currency="USD")
    assert raised.value.path == f"{PATH}{path}"


@given(st.integers(1, 10_000), _MINOR)
def test_a_percentage_is_exact_and_rounded_down(hundredths: int, minor: int) -> None:
    computed = compute(Percent(hundredths=hundredths), _basis(minor))
    assert computed.result is not None
    exact = Fraction(minor * hundredths, 10_000)
    assert 0 <= exact - computed.result.minor < 1
    assert computed.rounding is Rounding.DOWN


@given(_percents(), _MINOR, _MINOR)
def test_a_larger_base_never_pays_less(percent: Percent, one: int, other: int) -> None:
    small, large = sorted((one, other))
    less, more = compute(percent, _basis(small)).result, compute(percent, _basis(large)).result
    assert less is not None
    assert more is not None
    assert less.minor <= more.minor


@given(AMOUNTS, _MINOR, st.integers(1, 200), st.sampled_from(["US-NJ", "BR", "DE", None]))
def test_computes_the_same_again_from_what_it_prints(
    amount: Amount, minor: int, count: int, jurisdiction: str | None
) -> None:
    first = compute(amount, _basis(minor, count=count, jurisdiction=jurisdiction))
    again = read_amount(write_amount(first.amount), PATH, currency="USD")
    assert compute(again, first.basis) == first


@given(AMOUNTS, _MINOR, st.integers(1, 200), st.sampled_from(["US-NJ", "BR", "DE", None]))
def test_never_exceeds_the_most_that_it_can_come_to(
    amount: Amount, minor: int, count: int, jurisdiction: str | None
) -> None:
    most = most_of(amount)
    result = compute(amount, _basis(minor, count=count, jurisdiction=jurisdiction)).result
    assert result is None or most is None or result.minor <= max(money.minor for money in most)


def test_the_most_of_each_currency_is_apart() -> None:
    local = {
        "US-NJ": {"flat": {"minor": 5000, "currency": "USD"}},
        "KR": {"flat": {"minor": 60_000, "currency": "KRW"}},
        "*": {"tiers": [{"from": 1, "flat": {"minor": 700, "currency": "USD"}}]},
    }
    amount = read_amount({"by_jurisdiction": local}, PATH, currency="USD", others=("KRW",))
    assert most_of(amount) == (Money(5000, "USD"), Money(60_000, "KRW"))


@pytest.mark.parametrize(
    ("minor", "result", "bound"),
    [
        (0, 100, Bound.MINIMUM),
        (999, 100, Bound.MINIMUM),
        (1999, 199, None),
        (99_999, 500, "maximum"),
    ],
)
def test_clamps_a_percentage_after_rounding(minor: int, result: int, bound: Bound | None) -> None:
    percent = Percent(hundredths=1000, minimum=Money(100, "USD"), maximum=Money(500, "USD"))
    computed = compute(percent, _basis(minor))
    assert (computed.result, computed.bound) == (Money(result, "USD"), bound)


@pytest.mark.parametrize(
    ("count", "tier", "minor"), [(1, 1, 100), (9, 1, 100), (10, 10, 200), (11, 10, 200)]
)
def test_a_tier_counts_from_its_first_referral(count: int, tier: int, minor: int) -> None:
    tiered = Tiered((Tier(1, Flat(Money(100, "USD"))), Tier(10, Flat(Money(200, "USD")))))
    computed = compute(tiered, _basis(count=count))
    assert (computed.tier, computed.result) == (tier, Money(minor, "USD"))


@pytest.mark.parametrize(
    ("jurisdiction", "minor"), [("US-NJ", 100), ("US-NY", 50), ("US", 50), (None, 50)]
)
def test_a_jurisdiction_without_an_amount_has_the_one_for_everywhere(
    jurisdiction: str | None, minor: int
) -> None:
    amount = ByJurisdiction((("US-NJ", Flat(Money(100, "USD"))), ("*", Flat(Money(50, "USD")))))
    assert compute(amount, _basis(jurisdiction=jurisdiction)).result == Money(minor, "USD")


def test_pays_nothing_where_no_jurisdiction_matches() -> None:
    amount = ByJurisdiction((("US-NJ", Flat(Money(100, "USD"))),))
    assert compute(amount, _basis(jurisdiction="BR")).result is None


def test_never_compares_two_currencies() -> None:
    percent = Percent(hundredths=1000, minimum=Money(100, "EUR"))
    with pytest.raises(ValueError, match="cannot compare"):
        compute(percent, _basis(1000))
