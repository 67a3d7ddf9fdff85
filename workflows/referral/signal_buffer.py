"""State that signals leave in a workflow: a flag that wakes it, and facts not yet recorded."""

from datetime import datetime, timedelta

from temporalio import workflow

from activities.messages import SignalledFacts
from domain.intake.facts import Chargeback, Decision, Deposit, Fact, Signup, kind_of


class WakeFlag:
    """A flag that signal handlers set; what woke the workflow is read from the recorded facts."""

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        self.is_set = True

    def clear(self) -> None:
        self.is_set = False

    async def wait(self, *, until: datetime) -> bool:
        """Wait for the flag and clear it; return False when `until` came first."""
        # Checked first, because a wait whose time is up would not look at its condition.
        if not self.is_set:
            remaining = max(until - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(lambda: self.is_set, timeout=remaining)
            except TimeoutError:
                return False
        self.clear()
        return True


class UnrecordedFacts:
    """Facts that came with signals, each kept once until an act has recorded it."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], Fact] = {}

    def put(self, fact: Fact) -> None:
        self._facts.setdefault((kind_of(fact), fact.event_id), fact)

    @property
    def is_empty(self) -> bool:
        return not self._facts

    def snapshot(self) -> SignalledFacts:
        facts = self._facts.values()
        return SignalledFacts(
            signups=tuple(f for f in facts if isinstance(f, Signup)),
            deposits=tuple(f for f in facts if isinstance(f, Deposit)),
            chargebacks=tuple(f for f in facts if isinstance(f, Chargeback)),
            decisions=tuple(f for f in facts if isinstance(f, Decision)),
        )

    def discard(self, recorded: SignalledFacts) -> None:
        """Discard what an act has recorded; facts signalled meanwhile stay."""
        for fact in (*recorded.facts, *recorded.decisions):
            self._facts.pop((kind_of(fact), fact.event_id), None)
