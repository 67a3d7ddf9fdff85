"""Qualification: the deposit that earns the reward, judged from all facts in any order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.campaigns.terms import Terms
from domain.intake.facts import (
    CLOCK_SKEW,
    Chargeback,
    Deposit,
    Fact,
    PlayerStatus,
    StatusChange,
    TakeBack,
)

INELIGIBLE_STATUSES: Final = frozenset({PlayerStatus.SELF_EXCLUDED, PlayerStatus.CLOSED})


def qualifying_deposit(
    facts: Iterable[Fact], terms: Terms, *, signed_up_at: datetime
) -> Deposit | None:
    """Return the earliest deposit in its window of which at least the minimum is left."""
    facts = tuple(facts)
    window_ends = signed_up_at + terms.deposit_window
    candidates = [
        fact
        for fact in facts
        if isinstance(fact, Deposit)
        and signed_up_at - CLOCK_SKEW <= fact.occurred_at <= window_ends
        and meets_minimum(fact, facts, terms)
    ]
    return min(candidates, key=lambda d: (d.occurred_at, d.event_id), default=None)


def meets_minimum(deposit: Deposit, facts: Iterable[Fact], terms: Terms) -> bool:
    if deposit.amount.currency != terms.minimum_deposit.currency:
        return False
    left_minor = deposit.amount.minor - taken_back_minor(deposit, facts)
    return left_minor >= max(1, terms.minimum_deposit.minor)


def taken_back_minor(deposit: Deposit, facts: Iterable[Fact]) -> int:
    """Return the minor units taken back: refunds, and chargebacks less those won."""
    minor = dict.fromkeys(TakeBack, 0)
    for fact in facts:
        if isinstance(fact, Chargeback) and _is_about(fact, deposit):
            minor[fact.kind] += _amount_minor(fact, deposit)
    charged_back = max(0, minor[TakeBack.CHARGEBACK] - minor[TakeBack.CHARGEBACK_WON])
    return min(deposit.amount.minor, minor[TakeBack.REFUND] + charged_back)


def _amount_minor(chargeback: Chargeback, deposit: Deposit) -> int:
    """Return the amount; one in another currency cannot be compared, and counts as all of it."""
    amount = chargeback.amount or deposit.amount
    comparable = amount.currency == deposit.amount.currency
    return amount.minor if comparable else deposit.amount.minor


def _is_about(chargeback: Chargeback, deposit: Deposit) -> bool:
    same_deposit = chargeback.deposit_id == deposit.deposit_id
    return same_deposit and chargeback.player_id == deposit.player_id


def is_eligible(changes: Iterable[StatusChange]) -> bool:
    """Return whether a player may be credited; a player without status changes may."""
    last = max(changes, key=lambda c: (c.occurred_at, c.event_id), default=None)
    return last is None or last.status not in INELIGIBLE_STATUSES
