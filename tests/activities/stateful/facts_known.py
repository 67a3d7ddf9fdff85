"""Facts known in the model of one referral's facts: what is left of deposits, who shares what."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from domain.campaigns.terms import Terms
from domain.fraud.rule_sets import RuleSet
from domain.intake.facts import (
    Chargeback,
    Deposit,
    Fact,
    PlayerStatus,
    Signup,
    StatusChange,
    TakeBack,
)

SKEW: Final = timedelta(minutes=5)
HARD_RULES: Final = RuleSet(
    version="the model's",
    weights={"same_identity": 100, "known_identity": 90, "shared_payment_instrument": 70},
)
"""Rules that the model knows; soft ones depend on more than it keeps."""
TRAITS: Final = {
    "kyc_subject": "known_identity",
    "payment_instrument": "shared_payment_instrument",
    "device_id": None,
    "ip": None,
}
"""The field of a signup or deposit, and the doubt when two players share its value."""


@dataclass(slots=True)
class KnownFacts:
    """Every fact by its event id: one that is delivered again changes nothing."""

    by_id: dict[str, Fact] = field(default_factory=dict)

    def add(self, fact: Fact) -> None:
        self.by_id.setdefault(fact.event_id, fact)

    def deposits(self, player_id: str) -> list[Deposit]:
        found = [
            fact
            for fact in self.by_id.values()
            if isinstance(fact, Deposit) and fact.player_id == player_id
        ]
        return sorted(found, key=lambda fact: fact.occurred_at)

    def left_minor(self, deposit: Deposit) -> int:
        """Return what is left of a deposit; what cannot be compared with it takes all of it."""
        events = [
            fact
            for fact in self.by_id.values()
            if isinstance(fact, Chargeback) and fact.deposit_id == deposit.deposit_id
        ]
        matters: dict[str, list[Chargeback]] = defaultdict(list)
        for event in events:
            matters[event.dispute_id or ""].append(event)
        taken = sum(_taken_minor(name, matter, deposit) for name, matter in matters.items())
        return max(0, deposit.amount.minor - taken)

    def qualifying(self, player_id: str, terms: Terms, *, signed_up_at: datetime) -> str | None:
        """Return the event id of the first deposit in the window with the minimum left."""
        last = signed_up_at + terms.deposit_window
        for deposit in self.deposits(player_id):
            in_time = signed_up_at - SKEW <= deposit.occurred_at <= last
            if in_time and self.is_enough(deposit, terms):
                return deposit.event_id
        return None

    def is_enough(self, deposit: Deposit, terms: Terms) -> bool:
        minimum = terms.minimum_deposit
        comparable = deposit.amount.currency == minimum.currency
        return comparable and self.left_minor(deposit) >= minimum.minor

    def is_eligible(self, player_id: str) -> bool:
        wrong: set[PlayerStatus] = set()
        changes = [fact for fact in self.by_id.values() if isinstance(fact, StatusChange)]
        for change in sorted(changes, key=lambda fact: fact.occurred_at):
            if change.player_id != player_id:
                continue
            if change.status is PlayerStatus.RESTORED:
                wrong.clear()
            elif change.status is not PlayerStatus.VERIFIED:
                wrong.add(change.status)
        return not wrong

    def doubts(self, referee_id: str, referrer_id: str) -> frozenset[str]:
        """Return the reasons for which the score of a pair is not zero."""
        mine = self.traits(referee_id)
        strangers = self._players() - {referee_id, referrer_id}
        theirs = {trait for other in strangers for trait in self.traits(other)}
        found = {TRAITS[name] for name, _ in mine & theirs}
        with_referrer = {name for name, _ in mine & self.traits(referrer_id)}
        if "kyc_subject" in with_referrer:
            found.add("same_identity")
        if "payment_instrument" in with_referrer:
            found.add("shared_payment_instrument")
        return frozenset(doubt for doubt in found if doubt)

    def _players(self) -> set[str]:
        return {
            fact.player_id for fact in self.by_id.values() if isinstance(fact, Signup | Deposit)
        }

    def traits(self, player_id: str) -> set[tuple[str, str]]:
        return {
            (name, value)
            for fact in self.by_id.values()
            if isinstance(fact, Signup | Deposit) and fact.player_id == player_id
            for name in TRAITS
            if (value := getattr(fact, name, None)) is not None
        }


def _taken_minor(name: str, matter: list[Chargeback], deposit: Deposit) -> int:
    """Return what one matter takes; in a named one, the latest event of each kind counts."""
    minor = dict.fromkeys(TakeBack, 0)
    for event in sorted(matter, key=lambda event: event.occurred_at):
        amount = _minor_of(event, deposit)
        minor[event.kind] = amount if name else minor[event.kind] + amount
    refunds = minor[TakeBack.REFUND] - minor[TakeBack.REFUND_FAILED]
    chargebacks = minor[TakeBack.CHARGEBACK] - minor[TakeBack.CHARGEBACK_WON]
    return max(0, refunds) + max(0, chargebacks)


def _minor_of(event: Chargeback, deposit: Deposit) -> int:
    whole = deposit.amount
    if event.amount is None:
        return whole.minor
    if event.amount.currency == whole.currency:
        return min(event.amount.minor, whole.minor)
    return whole.minor if event.kind in {TakeBack.REFUND, TakeBack.CHARGEBACK} else 0
