"""Deposits that earn the reward."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intake.facts import (
    CLOCK_SKEW,
    Chargeback,
    Deposit,
    Fact,
    TakeBack,
)
from domain.money import Money
from domain.rewards.qualification import (
    meets_minimum,
    qualification,
    qualification_of,
)
from domain.rewards.take_backs import taken_back_minor
from tests.builders import NOW, TERMS, chargeback, deposit, usd
from tests.domain.strategies import CHARGEBACKS, DEPOSITS, FACTS, PLAYER

ENDS = NOW + TERMS.deposit_window


def qualifying(*facts: Fact) -> Deposit | None:
    """Return the one deposit that the qualification rests on."""
    found = qualification(facts, TERMS, signed_up_at=NOW)
    if found is None:
        return None
    return next(f for f in facts if isinstance(f, Deposit) and (f.event_id,) == found.fact_ids)


@pytest.mark.parametrize(
    ("paid", "qualifies"),
    [
        (deposit(minor=1000), True),
        (deposit(minor=999), False),
        (deposit(amount=Money(5000, "EUR")), False),
        (deposit(at=NOW - CLOCK_SKEW), True),
        (deposit(at=NOW - CLOCK_SKEW - timedelta(seconds=1)), False),
        (deposit(at=ENDS), True),
        (deposit(at=ENDS + timedelta(seconds=1)), False),
    ],
)
def test_which_single_deposits_qualify(paid: Deposit, *, qualifies: bool) -> None:
    assert qualifying(paid) == (paid if qualifies else None)


def test_the_earliest_qualifies_and_of_two_at_once_the_first_by_id() -> None:
    late, early = deposit(at=NOW + timedelta(days=2)), deposit(at=NOW + timedelta(days=1))
    twin = deposit(at=early.occurred_at)
    first_by_id = min(early, twin, key=lambda d: d.event_id)

    assert qualifying(late, early, twin) == first_by_id
    assert qualifying(late, twin, early) == first_by_id


@pytest.mark.parametrize(
    ("takes", "left"),
    [
        ([], 1500),
        ([(TakeBack.REFUND, 400)], 1100),
        ([(TakeBack.REFUND, None)], 0),
        ([(TakeBack.CHARGEBACK, 400), (TakeBack.CHARGEBACK_WON, 400)], 1500),
        ([(TakeBack.CHARGEBACK_WON, 400)], 1500),
        ([(TakeBack.REFUND, 500), (TakeBack.CHARGEBACK_WON, 500)], 1000),
        ([(TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK, None)], 0),
        ([(TakeBack.CHARGEBACK, None), (TakeBack.CHARGEBACK_WON, 600)], 600),
    ],
)
def test_the_rest_of_a_deposit_after_its_take_backs(
    takes: list[tuple[TakeBack, int | None]], left: int
) -> None:
    paid = deposit(minor=1500)
    facts = [chargeback(paid, kind, amount=m and usd(m)) for kind, m in takes]

    assert paid.amount.minor - taken_back_minor(paid, facts) == left


def test_take_backs_of_another_deposit_or_player_take_nothing() -> None:
    paid, other = deposit(PLAYER), deposit(PLAYER)
    stranger = deposit("stranger", deposit_id=paid.deposit_id)

    assert taken_back_minor(paid, [chargeback(other), chargeback(stranger)]) == 0


@given(facts=FACTS, draw=st.data())
def test_order_and_repetition_change_nothing(facts: list[Fact], draw: st.DataObject) -> None:
    shuffled = draw.draw(st.permutations(facts))

    assert qualifying(*shuffled) == qualifying(*facts)


@given(paid=DEPOSITS, facts=st.lists(CHARGEBACKS, max_size=8))
def test_no_more_is_taken_back_than_was_paid(paid: Deposit, facts: list[Chargeback]) -> None:
    assert 0 <= taken_back_minor(paid, facts) <= paid.amount.minor


@given(facts=FACTS)
def test_what_qualifies_is_a_deposit_of_at_least_the_minimum_in_its_window(
    facts: list[Fact],
) -> None:
    found = qualifying(*facts)
    if found:
        assert found in facts
        assert found.amount.minor - taken_back_minor(found, facts) >= TERMS.minimum_deposit.minor
        assert NOW - CLOCK_SKEW <= found.occurred_at <= ENDS


@pytest.mark.parametrize("kind", [TakeBack.CHARGEBACK_WON, TakeBack.REFUND_FAILED])
def test_what_is_given_back_in_another_currency_gives_nothing_back(kind: TakeBack) -> None:
    paid = deposit(minor=10_000)
    takes = TakeBack.CHARGEBACK if kind is TakeBack.CHARGEBACK_WON else TakeBack.REFUND
    facts = [chargeback(paid, takes), chargeback(paid, kind, amount=Money(1, "EUR"))]

    assert taken_back_minor(paid, facts) == 10_000


def test_what_is_taken_in_another_currency_takes_all() -> None:
    paid = deposit(minor=10_000)
    assert taken_back_minor(paid, [chargeback(paid, amount=Money(1, "EUR"))]) == 10_000


def test_a_refund_that_failed_is_undone() -> None:
    paid = deposit(minor=1500)
    refund = chargeback(paid, TakeBack.REFUND, amount=usd(700))
    failed = chargeback(paid, TakeBack.REFUND_FAILED, amount=usd(700))

    assert taken_back_minor(paid, [refund]) == 700
    assert taken_back_minor(paid, [failed, refund]) == 0


def test_one_dispute_told_under_two_event_ids_is_one_matter() -> None:
    paid = deposit(minor=1500)
    webhook, file = (chargeback(paid, dispute_id="d-1") for _ in range(2))
    won = chargeback(paid, TakeBack.CHARGEBACK_WON, dispute_id="d-1")

    assert taken_back_minor(paid, [webhook, file]) == 1500
    assert taken_back_minor(paid, [webhook, won, file]) == 0


def test_a_running_total_of_refunds_counts_once_under_one_id() -> None:
    paid = deposit(minor=1500)
    totals = [
        chargeback(
            paid,
            TakeBack.REFUND,
            amount=usd(minor),
            dispute_id="r-1",
            at=NOW + timedelta(hours=hours),
        )
        for hours, minor in enumerate((300, 500, 900))
    ]

    assert taken_back_minor(paid, totals) == 900


def test_of_two_totals_of_one_instant_the_last_by_id_counts() -> None:
    paid = deposit(minor=1500)
    first, last = (
        replace(
            chargeback(paid, TakeBack.REFUND, amount=usd(minor), dispute_id="r-1"),
            event_id=event_id,
        )
        for event_id, minor in (("a", 300), ("b", 500))
    )

    assert taken_back_minor(paid, [first, last]) == 500
    assert taken_back_minor(paid, [last, first]) == 500


def test_refunds_without_an_id_are_a_matter_each() -> None:
    paid = deposit(minor=1500)
    refunds = [chargeback(paid, TakeBack.REFUND, amount=usd(minor)) for minor in (300, 500)]

    assert taken_back_minor(paid, refunds) == 800


def test_two_disputes_are_two_matters() -> None:
    paid = deposit(minor=1500)
    first, second = (
        chargeback(paid, amount=usd(500), dispute_id=dispute) for dispute in ("d-1", "d-2")
    )
    won = chargeback(paid, TakeBack.CHARGEBACK_WON, amount=usd(500), dispute_id="d-2")

    assert taken_back_minor(paid, [first, second]) == 1000
    assert taken_back_minor(paid, [first, second, won]) == 500


@given(paid=DEPOSITS, facts=st.lists(CHARGEBACKS, max_size=8))
def test_frozen_facts_say_what_is_left_of_them(paid: Deposit, facts: list[Chargeback]) -> None:
    found = qualification_of([paid.event_id], [paid, *facts])

    assert found is not None
    assert found.left.minor == paid.amount.minor - taken_back_minor(paid, facts)
    assert qualification_of(["unknown"], [paid, *facts]) is None


def test_several_frozen_facts_stand_in_the_order_of_their_times_then_ids() -> None:
    late = replace(deposit(at=NOW + timedelta(hours=1)), event_id="a")
    first, second = (replace(deposit(at=NOW), event_id=event_id) for event_id in ("b", "c"))

    found = qualification_of(["a", "b", "c"], [late, second, first])

    assert found is not None
    assert found.fact_ids == ("b", "c", "a")
    assert found.met_at == late.occurred_at


def test_what_rests_on_two_reports_of_one_deposit_stays_as_it_was_frozen() -> None:
    first = deposit(minor=500)
    again = replace(first, event_id=f"{first.event_id}:again")
    found = qualification_of({first.event_id, again.event_id}, [first, again])
    assert found is not None
    assert found.left == usd(1000)


def test_without_a_minimum_one_minor_unit_qualifies_and_nothing_does_not() -> None:
    terms = replace(TERMS, minimum_deposit=usd(0))
    paid = deposit(minor=1)

    assert meets_minimum(paid, [], terms) is True
    assert meets_minimum(paid, [chargeback(paid)], terms) is False
    assert meets_minimum(deposit(amount=Money(1, "EUR")), [], terms) is False


def test_facts_may_be_read_once() -> None:
    paid = deposit(minor=1500)
    facts: list[Fact] = [paid, chargeback(paid, amount=usd(200))]

    found = qualification(iter(facts), TERMS, signed_up_at=NOW)

    assert found is not None
    assert found.left == usd(1300)
    assert qualification_of([paid.event_id], iter(facts)) == found


def test_the_earlier_deposit_qualifies_whatever_the_order_of_their_ids() -> None:
    earlier, later = replace(deposit(), event_id="z"), replace(deposit(), event_id="a")
    later = replace(later, occurred_at=earlier.occurred_at + timedelta(hours=1))
    found = qualification([later, earlier], TERMS, signed_up_at=NOW)
    assert found is not None
    assert found.fact_ids == ("z",)
