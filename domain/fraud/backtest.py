"""Backtests: what a candidate rule set would have decided on stored snapshots."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.fraud.rule_sets import RuleSet, score
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import Snapshot
from domain.money import Money

PAID = "paid"
HELD = "held"
BLOCKED = "blocked"
FATES: Mapping[Verdict, str] = {
    Verdict.PASS: PAID,
    Verdict.SAMPLE: PAID,
    Verdict.REVIEW: HELD,
    Verdict.BLOCK: BLOCKED,
}
"""Fate of a referral's rewards by its verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A stored snapshot with the money that its referral is about, and what was learned since."""

    snapshot: Snapshot
    amounts: tuple[Money, ...]
    is_fraud: bool | None = None
    """True where a reviewer rejected or a credit was reversed, False where one approved."""


@dataclass(slots=True)
class Tally:
    """Referrals, money and truth by what one rule set decided."""

    queue: int = 0
    money: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Minor units by fate and currency."""
    stopped: Counter[bool] = field(default_factory=Counter)
    """Referrals that were not paid, by whether they were fraud as far as that is known."""

    def add(self, verdict: Verdict, judged: Judged) -> None:
        fate = FATES[verdict]
        self.queue += verdict is Verdict.REVIEW
        for amount in judged.amounts:
            self.money[fate, amount.currency] += amount.minor
        if judged.is_fraud is not None and fate != PAID:
            self.stopped[judged.is_fraud] += 1

    def money_by_fate(self) -> dict[str, list[Money]]:
        return {
            fate: [
                Money(minor, currency)
                for (its_fate, currency), minor in sorted(self.money.items())
                if its_fate == fate
            ]
            for fate in (PAID, HELD, BLOCKED)
        }


@dataclass(slots=True)
class Backtest:
    """Results of a candidate beside those of the baseline, snapshot by snapshot."""

    baseline: Tally = field(default_factory=Tally)
    candidate: Tally = field(default_factory=Tally)
    verdicts: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    """Referrals by verdict before and after."""
    known: Counter[bool] = field(default_factory=Counter)
    """Referrals whose truth is known, by whether they were fraud."""

    @property
    def assessed(self) -> int:
        return self.verdicts.total()

    @property
    def changed(self) -> int:
        return sum(count for (before, after), count in self.verdicts.items() if before != after)

    def add(self, judged: Judged, *, baseline: RuleSet, candidate: RuleSet) -> None:
        before = score(judged.snapshot, baseline).verdict
        after = score(judged.snapshot, candidate).verdict
        self.verdicts[before, after] += 1
        self.baseline.add(before, judged)
        self.candidate.add(after, judged)
        if judged.is_fraud is not None:
            self.known[judged.is_fraud] += 1
