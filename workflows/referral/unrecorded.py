"""The events that signals brought, kept until an act has recorded them."""

from activities.messages import Heard
from domain.intake.facts import Chargeback, Decision, Deposit, Fact, Signup, kind_of


class UnrecordedFacts:
    """A copy of an event is kept once, however often it is signalled."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], Fact] = {}

    def put(self, fact: Fact) -> None:
        self._facts.setdefault((kind_of(fact), fact.event_id), fact)

    @property
    def is_empty(self) -> bool:
        return not self._facts

    def heard(self) -> Heard:
        facts = self._facts.values()
        return Heard(
            signups=tuple(f for f in facts if isinstance(f, Signup)),
            deposits=tuple(f for f in facts if isinstance(f, Deposit)),
            chargebacks=tuple(f for f in facts if isinstance(f, Chargeback)),
            decisions=tuple(f for f in facts if isinstance(f, Decision)),
        )

    def forget(self, heard: Heard) -> None:
        """An act has recorded these; what came meanwhile stays."""
        for fact in (*heard.facts, *heard.decisions):
            self._facts.pop((kind_of(fact), fact.event_id), None)
