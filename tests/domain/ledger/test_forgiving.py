"""Clearing a debt moves no money, so it needs none."""

from uuid import uuid4

from domain.ledger.movements import MAY_BE_NEGATIVE, Book, Movement, Transfer
from domain.money import Money


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
