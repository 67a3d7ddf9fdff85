"""Qualification: the set of facts that meets a referral's terms, judged from all facts at once.

The order in which facts were heard changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.campaigns.terms import Terms
from domain.intake.facts import CLOCK_SKEW, Chargeback, Deposit, Fact, TakeBack
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """The deposits that meet the terms, when they met them, and what is left of them."""

    fact_ids: tuple[str, ...]
    """The deposits' event ids."""
    met_at: datetime
    left: Money


def qualification(
    facts: Iterable[Fact], terms: Terms, *, signed_up_at: datetime
) -> Qualification | None:
    """Return the earliest deposit in its window that meets the terms, if one does."""
    facts = tuple(facts)
    window_ends = signed_up_at + terms.deposit_window
    deposits = [
        fact
        for fact in _deposits(facts)
        if signed_up_at - CLOCK_SKEW <= fact.occurred_at <= window_ends
        and meets_minimum(fact, facts, terms)
    ]
    first = min(deposits, key=lambda d: (d.occurred_at, d.event_id), default=None)
    return _resting_on([first], facts) if first else None


def qualification_of(fact_ids: Collection[str], facts: Iterable[Fact]) -> Qualification | None:
    """Return what is left today of the facts that a credited reward rests on."""
    facts = tuple(facts)
    resting_on = [fact for fact in _deposits(facts) if fact.event_id in fact_ids]
    return _resting_on(resting_on, facts) if resting_on else None


def meets_minimum(deposit: Deposit, facts: Iterable[Fact], terms: Terms) -> bool:
    """Return whether at least the terms' minimum is left of a deposit, in the terms' currency."""
    if deposit.amount.currency != terms.minimum_deposit.currency:
        return False
    left = deposit.amount.minor - taken_back_minor(deposit, facts)
    return left >= max(1, terms.minimum_deposit.minor)


def taken_back_minor(deposit: Deposit, facts: Iterable[Fact]) -> int:
    """Return the minor units of a deposit that are no longer there, at most all of them.

    Refunds less those that failed, and chargebacks less those won. Events of one dispute or refund
    are one matter, in which the latest amount of each kind counts.
    """
    matters: dict[str | None, list[Chargeback]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Chargeback) and _is_about(fact, deposit):
            matters[fact.dispute_id].append(fact)
    taken = sum(
        _open_minor(_latest_of_each_kind(events) if dispute_id else events, deposit)
        for dispute_id, events in matters.items()
    )
    return min(deposit.amount.minor, taken)


def _deposits(facts: Iterable[Fact]) -> list[Deposit]:
    return [fact for fact in facts if isinstance(fact, Deposit)]


def _resting_on(deposits: Sequence[Deposit], facts: Sequence[Fact]) -> Qualification:
    ordered = sorted(deposits, key=lambda d: (d.occurred_at, d.event_id))
    left = sum(d.amount.minor - taken_back_minor(d, facts) for d in ordered)
    return Qualification(
        fact_ids=tuple(d.event_id for d in ordered),
        met_at=ordered[-1].occurred_at,
        left=Money(left, ordered[0].amount.currency),
    )


def _latest_of_each_kind(events: Iterable[Chargeback]) -> list[Chargeback]:
    ordered = sorted(events, key=lambda event: (event.occurred_at, event.event_id))
    return list({event.kind: event for event in ordered}.values())


def _open_minor(events: Iterable[Chargeback], deposit: Deposit) -> int:
    """Return what one matter takes of a deposit, in minor units."""
    minor = dict.fromkeys(TakeBack, 0)
    for event in events:
        minor[event.kind] += _amount_minor(event, deposit)
    refunded = max(0, minor[TakeBack.REFUND] - minor[TakeBack.REFUND_FAILED])
    charged_back = max(0, minor[TakeBack.CHARGEBACK] - minor[TakeBack.CHARGEBACK_WON])
    return refunded + charged_back


def _amount_minor(event: Chargeback, deposit: Deposit) -> int:
    """Return what an event is about, at most the whole deposit.

    Another currency cannot be compared with the deposit's: what takes counts as all of it, and what
    gives back as nothing.
    """
    amount = event.amount or deposit.amount
    if amount.currency == deposit.amount.currency:
        return min(amount.minor, deposit.amount.minor)
    return (
        0
        if event.kind in {TakeBack.CHARGEBACK_WON, TakeBack.REFUND_FAILED}
        else (deposit.amount.minor)
    )


def _is_about(chargeback: Chargeback, deposit: Deposit) -> bool:
    same_deposit = chargeback.deposit_id == deposit.deposit_id
    return same_deposit and chargeback.player_id == deposit.player_id
