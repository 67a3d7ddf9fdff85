"""Take-backs: what refunds and chargebacks leave of a deposit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.intake.facts import Chargeback, Deposit, Fact, TakeBack


class TakeBacks:
    """Refunds and chargebacks of one player's deposits, by the deposit that they are about."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._about: dict[tuple[str, str], list[Chargeback]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Chargeback):
                self._about[fact.player_id, fact.deposit_id].append(fact)

    def about(self, deposit: Deposit) -> Sequence[Chargeback]:
        return self._about.get((deposit.player_id, deposit.deposit_id), ())

    def left_minor(self, deposit: Deposit) -> int:
        """Return the minor units of a deposit that are still there."""
        return deposit.amount.minor - taken_back_minor(deposit, self.about(deposit))


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
