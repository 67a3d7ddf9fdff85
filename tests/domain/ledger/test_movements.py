"""Movements of money between accounts."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.movements import (
    ARROWS,
    DERIVED_BALANCE_BOOKS,
    MAY_BE_NEGATIVE,
    Account,
    Book,
    Movement,
    Transfer,
    account_for,
    split_reinstatement,
    split_reversal,
    transfer_id,
)
from domain.money import Money
from tests.builders import usd

CAMPAIGN, REWARD = uuid4(), uuid4()
_B = Book


@pytest.mark.parametrize(
    ("movement", "net"),
    [
        (Movement.FUND, {_B.FUNDING: -1, _B.CAMPAIGN: 1}),
        (Movement.DEFUND, {_B.CAMPAIGN: -1, _B.FUNDING: 1}),
        (Movement.HOLD, {_B.CAMPAIGN: -1, _B.HELD: 1}),
        (Movement.RELEASE, {_B.HELD: -1, _B.AVAILABLE: 1}),
        (Movement.VOID, {_B.HELD: -1, _B.CAMPAIGN: 1}),
        (Movement.REVERSE, {_B.AVAILABLE: -1, _B.CAMPAIGN: 1}),
        (Movement.OWE, {_B.OWED: -1, _B.RECOVERABLE: 1}),
        (
            Movement.RECOVER,
            {_B.AVAILABLE: -1, _B.OWED: 1, _B.RECOVERABLE: -1, _B.CAMPAIGN: 1},
        ),
        (Movement.REINSTATE, {_B.CAMPAIGN: -1, _B.AVAILABLE: 1}),
        (Movement.FORGIVE, {_B.CAMPAIGN: 0, _B.OWED: 1, _B.RECOVERABLE: -1}),
        (Movement.SPEND, {_B.AVAILABLE: -1, _B.SPENT: 1}),
        (Movement.UNSPEND, {_B.SPENT: -1, _B.AVAILABLE: 1}),
    ],
)
def test_each_movement_changes_its_accounts(movement: Movement, net: dict[Book, int]) -> None:
    moved = moves([transfer(movement, 1)])

    assert {account.book: minor for account, minor in moved.items()} == net


def test_every_movement_has_a_route() -> None:
    assert set(ARROWS) == set(Movement)


@given(st.lists(st.tuples(st.sampled_from(Movement), st.integers(1, 10**6)), max_size=20))
def test_any_sequence_of_movements_conserves_money(acts: list[tuple[Movement, int]]) -> None:
    moved = moves([transfer(movement, minor) for movement, minor in acts])

    assert sum(moved.values()) == 0


@given(amount=st.integers(0, 10**6), there=st.integers(-(10**6), 10**6))
def test_a_split_has_all_of_the_amount_and_takes_no_more_than_is_there(
    amount: int, there: int
) -> None:
    reversal = split_reversal(usd(amount), available_minor=there)
    again = split_reinstatement(usd(amount), owed_minor=there)

    assert reversal.available + reversal.owed == again.available + again.owed == usd(amount)
    assert reversal.available.minor <= max(0, there)
    assert again.owed.minor <= max(0, there)


@pytest.mark.parametrize("book", Book)
def test_each_book_has_accounts_of_its_kind_of_owner(book: Book) -> None:
    account = account_for(book, "USD", campaign_id=CAMPAIGN, player_id="p")

    owners = {
        Book.FUNDING: (None, None),
        Book.CAMPAIGN: (CAMPAIGN, None),
        Book.RECOVERABLE: (CAMPAIGN, None),
    }
    assert (account.campaign_id, account.player_id) == owners.get(book, (None, "p"))
    assert (account.book, account.currency) == (book, "USD")


def test_an_account_of_a_campaign_or_of_a_player_needs_its_owner() -> None:
    with pytest.raises(ValueError, match="campaign"):
        account_for(Book.CAMPAIGN, "USD", campaign_id=None, player_id="p")
    with pytest.raises(ValueError, match="player"):
        account_for(Book.AVAILABLE, "USD", campaign_id=CAMPAIGN, player_id=None)


def test_only_owed_and_funding_may_be_negative_and_no_act_waits_for_funding_or_spent() -> None:
    assert {Book.FUNDING, Book.OWED} == MAY_BE_NEGATIVE
    assert {Book.FUNDING, Book.SPENT} == DERIVED_BALANCE_BOOKS


def test_ids_are_derived_from_their_parts() -> None:
    one = Account(book=Book.AVAILABLE, currency="USD", player_id="p")
    ids: set[UUID] = {
        one.id,
        Account(book=Book.HELD, currency="USD", player_id="p").id,
        Account(book=Book.AVAILABLE, currency="EUR", player_id="p").id,
        Account(book=Book.AVAILABLE, currency="USD", player_id="q").id,
        Account(book=Book.CAMPAIGN, currency="USD", campaign_id=CAMPAIGN).id,
        Account(book=Book.CAMPAIGN, currency="USD", campaign_id=REWARD).id,
        transfer_id(REWARD, Movement.REVERSE),
        transfer_id(REWARD, Movement.REVERSE, cycle=1),
        transfer_id(REWARD, Movement.REINSTATE, cycle=1),
    }

    assert len(ids) == 9
    assert Account(book=Book.AVAILABLE, currency="USD", player_id="p").id == one.id


def transfer(movement: Movement, minor: int) -> Transfer:
    return Transfer(
        id=uuid4(), movement=movement, amount=usd(minor), campaign_id=CAMPAIGN, player_id="p"
    )


def moves(transfers: list[Transfer]) -> Counter[Account]:
    moved: Counter[Account] = Counter()
    for each in transfers:
        for source, target in each.arrows:
            moved[source] -= each.amount.minor
            moved[target] += each.amount.minor
    return moved


def test_forgives_a_debt_when_the_budget_is_empty() -> None:
    forgiven = Transfer(
        id=uuid4(),
        movement=Movement.FORGIVE,
        amount=Money(1000, "USD"),
        campaign_id=uuid4(),
        player_id="ann",
    )
    balances = {Book.CAMPAIGN: 0, Book.RECOVERABLE: 1000, Book.OWED: -1000}
    for source, target in forgiven.arrows:
        balances[source.book] -= forgiven.amount.minor
        balances[target.book] += forgiven.amount.minor
        assert all(minor >= 0 for book, minor in balances.items() if book not in MAY_BE_NEGATIVE)
    assert balances == {Book.CAMPAIGN: 0, Book.RECOVERABLE: 0, Book.OWED: 0}
