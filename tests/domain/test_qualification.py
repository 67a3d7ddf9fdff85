"""Which deposit earns the reward."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Chargeback, Deposit, Fact, PlayerStatus, TakeBack
from domain.money import Money
from domain.qualification import (
    CLOCK_SKEW,
    is_eligible,
    is_enough,
    qualifying_deposit,
    taken_back,
)
from tests.builders import NOW, TERMS, chargeback, deposit, status_change, usd

SECOND = timedelta(seconds=1)
WINDOW = TERMS.deposit_window


def qualifies(*facts: Fact) -> Deposit | None:
    return qualifying_deposit(facts, TERMS, signed_up_at=NOW)


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(0), True),
        (WINDOW, True),
        (WINDOW + SECOND, False),
        (-CLOCK_SKEW, True),
        (-CLOCK_SKEW - SECOND, False),
    ],
)
def test_counts_a_deposit_made_within_its_window(after: timedelta, *, counts: bool) -> None:
    made = deposit("ann", at=NOW + after)
    assert (qualifies(made) == made) is counts


@pytest.mark.parametrize(("minor", "counts"), [(999, False), (1000, True), (1001, True)])
def test_asks_for_the_minimum(minor: int, *, counts: bool) -> None:
    assert (qualifies(deposit("ann", minor=minor)) is not None) is counts


def test_a_smaller_deposit_before_disqualifies_nobody() -> None:
    small, enough = deposit("ann", minor=1), deposit("ann", at=NOW + timedelta(days=1))
    assert qualifies(small, enough) == enough


def test_takes_the_earliest_and_of_equals_the_first_by_id() -> None:
    late = deposit("ann", at=NOW + timedelta(days=2))
    one, other = deposit("ann", event_id="b"), deposit("ann", event_id="a")
    assert qualifies(late, one, other) == other


def test_a_deposit_in_another_currency_does_not_count() -> None:
    assert qualifies(deposit("ann", amount=Money(5000, "EUR"))) is None


def test_even_without_a_minimum_something_has_to_be_left() -> None:
    terms = replace(TERMS, minimum_deposit=usd(0))
    gone = deposit("ann")
    assert not is_enough(gone, (chargeback(gone),), terms)


@pytest.mark.parametrize(
    ("reports", "minor"),
    [
        ((), 0),
        (((TakeBack.REFUND, 300),), 300),
        (((TakeBack.REFUND, None),), 1000),
        (((TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK_WON, None)), 0),
        (((TakeBack.CHARGEBACK_WON, None),), 0),
        (((TakeBack.CHARGEBACK, 600), (TakeBack.REFUND, 600)), 1000),
        (((TakeBack.CHARGEBACK_WON, 900), (TakeBack.REFUND, 200)), 200),
        (((TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK, None)), 1000),
    ],
)
def test_adds_up_what_was_taken_back(
    reports: tuple[tuple[TakeBack, int | None], ...], minor: int
) -> None:
    made = deposit("ann", minor=1000)
    facts = [
        chargeback(made, kind, amount=None if amount is None else usd(amount))
        for kind, amount in reports
    ]
    assert taken_back(made, facts) == minor


def test_what_was_taken_back_in_another_currency_counts_as_the_whole_deposit() -> None:
    made = deposit("ann", minor=5000)
    assert taken_back(made, (chargeback(made, amount=Money(1, "JPY")),)) == 5000


def test_ignores_what_was_taken_back_of_another_deposit_or_from_another_player() -> None:
    made, other = deposit("ann"), deposit("ann")
    elsewhere = replace(chargeback(made), player_id="bob")
    assert taken_back(made, (chargeback(other), elsewhere)) == 0


amounts = st.one_of(st.none(), st.integers(1, 3000).map(usd))


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    made = [
        deposit("ann", minor=draw(st.integers(1, 3000)), at=NOW + timedelta(hours=draw(hours)))
        for _ in range(draw(st.integers(0, 3)))
    ]
    taken: list[Chargeback] = []
    for one in made:
        kinds = draw(st.lists(st.sampled_from(TakeBack), max_size=3))
        taken += [chargeback(one, kind, amount=draw(amounts)) for kind in kinds]
    return [*made, *taken]


hours = st.integers(0, 24 * 31)


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_of_facts_is_nothing(story: list[Fact], random: object) -> None:
    shuffled = list(story)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert qualifies(*shuffled) == qualifies(*story)


@given(stories())
def test_never_takes_back_more_than_there_was(story: list[Fact]) -> None:
    for fact in story:
        if isinstance(fact, Deposit):
            assert 0 <= taken_back(fact, story) <= fact.amount.minor


@pytest.mark.parametrize(
    ("statuses", "eligible"),
    [
        ((), True),
        ((PlayerStatus.VERIFIED,), True),
        ((PlayerStatus.SELF_EXCLUDED,), False),
        ((PlayerStatus.CLOSED,), False),
        ((PlayerStatus.SELF_EXCLUDED, PlayerStatus.RESTORED), True),
        ((PlayerStatus.VERIFIED, PlayerStatus.SELF_EXCLUDED), False),
    ],
)
def test_the_last_status_by_its_own_time_decides(
    statuses: tuple[PlayerStatus, ...], *, eligible: bool
) -> None:
    changes = [
        status_change("ann", status, at=NOW + timedelta(hours=hour))
        for hour, status in enumerate(statuses)
    ]
    assert is_eligible(reversed(changes)) is eligible
