"""Movements of money: every one is arrows, and arrows conserve."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import (
    ROUTES,
    Account,
    Book,
    Movement,
    Transfer,
    account,
    split_reinstatement,
    split_reversal,
    transfer_id,
)
from tests.builders import usd

CAMPAIGN, REWARD = UUID(int=1), UUID(int=2)
movements = st.tuples(st.sampled_from(Movement), st.integers(1, 10**6))


def moved(movement: Movement, minor: int) -> Transfer:
    return Transfer(
        id=uuid4(),
        movement=movement,
        amount=usd(minor),
        campaign_id=CAMPAIGN,
        player_id="ann",
    )


@given(st.lists(movements))
def test_any_sequence_of_movements_sums_to_zero(sequence: list[tuple[Movement, int]]) -> None:
    balances: Counter[Account] = Counter()
    for movement, minor in sequence:
        for source, target in moved(movement, minor).arrows:
            balances[source] -= minor
            balances[target] += minor
    assert sum(balances.values()) == 0


@pytest.mark.parametrize(
    ("movement", "undone_by"),
    [
        (Movement.FUND, Movement.DEFUND),
        (Movement.HOLD, Movement.VOID),
        (Movement.REVERSE, Movement.REINSTATE),
    ],
)
def test_what_is_undone_takes_the_same_way_back(movement: Movement, undone_by: Movement) -> None:
    back = {(target, source) for source, target in ROUTES[movement]}
    assert set(ROUTES[undone_by]) == back


def test_every_movement_has_a_route() -> None:
    assert set(ROUTES) == set(Movement)


def test_a_retry_has_the_same_id_and_another_cycle_another_one() -> None:
    first = transfer_id(REWARD, Movement.REVERSE)
    assert first == transfer_id(REWARD, Movement.REVERSE)
    assert first != transfer_id(REWARD, Movement.REVERSE, cycle=1)
    assert first != transfer_id(REWARD, Movement.REINSTATE)


def test_accounts_belong_to_a_currency_a_campaign_or_a_player() -> None:
    owners = {"campaign_id": CAMPAIGN, "player_id": "ann"}
    whole = [account(book, "USD", **owners) for book in Book]  # type: ignore[arg-type]
    assert len({one.id for one in whole}) == len(Book)
    assert whole[0] == Account(book=Book.FUNDING, currency="USD")
    assert account(Book.CAMPAIGN, "USD", **owners).player_id is None  # type: ignore[arg-type]
    assert account(Book.HELD, "USD", **owners).campaign_id is None  # type: ignore[arg-type]


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6))
def test_a_reversal_takes_what_is_there_and_books_the_rest_as_owed(
    minor: int, available: int
) -> None:
    split = split_reversal(usd(minor), available_minor=available)
    assert split.there.minor + split.debt.minor == minor
    assert split.there.minor <= max(0, available)


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6))
def test_a_reinstatement_clears_the_debt_first(minor: int, owed: int) -> None:
    split = split_reinstatement(usd(minor), owed_minor=owed)
    assert split.there.minor + split.debt.minor == minor
    assert split.debt.minor == min(minor, max(0, owed))
