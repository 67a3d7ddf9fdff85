"""Reported deposits: what is known of each of a referee's deposits, each look without a search."""

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.intake.facts import Chargeback, Deposit, Fact, TakeBack
from domain.rewards.take_backs import TakeBacks


class ReportedDeposits:
    """All reports of one referee's deposits, and of what was taken back of them."""

    def __init__(self, money_facts: Collection[Fact], resting_on: Collection[str]) -> None:
        reports = [fact for fact in money_facts if isinstance(fact, Deposit)]
        self.in_order: Sequence[Deposit] = sorted(reports, key=_order)
        self._first = {one.deposit_id: one for one in reversed(self.in_order)}
        self._earning = [one for one in self.in_order if one.event_id in resting_on]
        self._earning_ids = {one.deposit_id for one in self._earning}
        self._takes = TakeBacks(money_facts)
        takes = sorted((f for f in money_facts if isinstance(f, Chargeback)), key=_order)
        self._latest = {(one.deposit_id, one.dispute_id, one.kind): one for one in takes}

    def is_known(self, deposit_id: str) -> bool:
        return deposit_id in self._first

    def takes_of(self, deposit: Deposit) -> Sequence[Chargeback]:
        return self._takes.about(deposit)

    def is_reported_already(self, deposit: Deposit) -> bool:
        """Return whether another report of the same deposit counts, if this one earns nothing."""
        first = self._first.get(deposit.deposit_id, deposit)
        return deposit.deposit_id in self._earning_ids or _order(first) < _order(deposit)

    def is_earlier(self, deposit: Deposit) -> bool:
        """Return whether a deposit was made before one that the reward rests on."""
        return bool(self._earning) and _order(deposit) < _order(self._earning[-1])

    def latest_of_matter(self, take: Chargeback, kind: TakeBack) -> Chargeback | None:
        """Return the latest event of a kind in the dispute or refund that a take-back is part of.

        Events without a dispute's id are one matter here, though each counts for itself.
        """
        return self._latest.get((take.deposit_id, take.dispute_id, kind))

    def is_replaced(self, take: Chargeback) -> bool:
        """Return whether a later event of its matter tells the amount of the same kind anew."""
        latest = self.latest_of_matter(take, take.kind) or take
        return bool(take.dispute_id) and _order(latest) > _order(take)


def _order(fact: Deposit | Chargeback) -> tuple[datetime, str]:
    return fact.occurred_at, fact.event_id
