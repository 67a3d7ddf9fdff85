"""Rule sets: versioned weights and thresholds, and the pure scoring of a snapshot by one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from domain.fraud.rule import Rule, Severity
from domain.fraud.rule_table import RULES, RULES_BY_NAME
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import Snapshot
from domain.fraud.thresholds import Thresholds

MAX_SCORE: Final = 100
SUPPLEMENT_PERCENT: Final = 5
"""Each further hit adds this to the sum of the weights: several weigh more than their sum."""
SAMPLE_POINTS_PER_PERCENT: Final = 100


class Outcome(StrEnum):
    """Result of a rule on a snapshot."""

    HIT = "hit"
    MISS = "miss"
    UNKNOWN = "unknown"
    """The evidence was never reported; it weighs nothing."""
    ERROR = "error"
    """The rule raised: a fault of ours, which decides nothing and asks for a review."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    rule: str
    weight: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The score of a snapshot by one rule set, with every rule of the set once."""

    rule_set: str
    score: int
    verdict: Verdict
    results: tuple[RuleResult, ...]
    hold_s: int = 0
    """Time for which a reward that passes is held, by the band of its score."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The rules that hit or failed, in the order of the table."""
        shown = {Outcome.HIT, Outcome.ERROR}
        return tuple(result.rule for result in self.results if result.outcome in shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """An immutable set of rules: one without a weight is left out, one of weight 0 decides nothing.

    Raises ValueError for an unknown rule, a weight below 0 or above 100, and a soft rule whose
    weight would hold a reward by itself.
    """

    version: str
    weights: Mapping[str, int]
    thresholds: Thresholds = field(default_factory=Thresholds)
    sample_percent: int = 1
    """Share of the passing referrals that are paid and reviewed, to measure what is missed."""

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            self._check(name, weight)
        if not 0 <= self.sample_percent <= MAX_SCORE:
            raise ValueError("sample_percent must be from 0 to 100")

    def _check(self, name: str, weight: int) -> None:
        rule = RULES_BY_NAME.get(name)
        if rule is None:
            raise ValueError(f"{name} is not a rule")
        if not 0 <= weight <= MAX_SCORE:
            raise ValueError(f"The weight of {name} must be from 0 to 100")
        if rule.severity is Severity.SOFT and weight >= self.thresholds.hold:
            raise ValueError(f"The soft rule {name} must not hold a reward by itself")


BASE: Final = RuleSet(
    version="1", weights=MappingProxyType({rule.name: rule.weight for rule in RULES})
)
"""The rule set that the service brings: it is live until another one is published."""


def score(snapshot: Snapshot, rule_set: RuleSet, *, rules: tuple[Rule, ...] = RULES) -> Assessment:
    """Score a snapshot: pure, so that a stored snapshot gives the same assessment for ever.

    `rules` is the table to read the set's rules from.
    """
    judged = [
        (rule, _judge(rule, snapshot, rule_set)) for rule in rules if rule.name in rule_set.weights
    ]
    total = _total(judged, is_allowed=bool(snapshot.lists.allow))
    verdict = _verdict(judged, total, snapshot, rule_set)
    is_middle = verdict in {Verdict.PASS, Verdict.SAMPLE} and total >= rule_set.thresholds.hold
    return Assessment(
        rule_set=rule_set.version,
        score=total,
        verdict=verdict,
        results=tuple(result for _, result in judged),
        hold_s=rule_set.thresholds.hold_s if is_middle else 0,
    )


def results_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, RuleResult]:
    """Return stored outcomes by rule."""
    return {
        name: RuleResult(name, found["weight"], Outcome(found["outcome"]))
        for name, found in stored.items()
    }


def decides_alone(result: RuleResult) -> bool:
    """Return whether a result asks for a review by itself; a rule of a later release does."""
    rule = RULES_BY_NAME.get(result.rule)
    is_soft = rule is not None and rule.severity in {Severity.SOFT, Severity.NOTE}
    return result.outcome is Outcome.ERROR or (bool(result.weight) and not is_soft)


def certain_reasons(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return the reasons that reject without a review."""
    names = {rule.name for rule in RULES if rule.severity is Severity.CERTAIN}
    return tuple(reason for reason in reasons if reason in names)


def weight_of(results: Iterable[RuleResult]) -> int:
    """Return the score of some hits by themselves."""
    weights = [result.weight for result in results if result.weight]
    percent = 100 + SUPPLEMENT_PERCENT * max(0, len(weights) - 1)
    return min(MAX_SCORE, sum(weights) * percent // 100)


_Judged = list[tuple[Rule, RuleResult]]


def _judge(rule: Rule, snapshot: Snapshot, rule_set: RuleSet) -> RuleResult:
    return RuleResult(rule.name, rule_set.weights[rule.name], _outcome(rule, snapshot, rule_set))


def _outcome(rule: Rule, snapshot: Snapshot, rule_set: RuleSet) -> Outcome:
    try:
        found = rule.predicate(snapshot, rule_set.thresholds)
    except Exception:  # noqa: BLE001 - whatever a rule raises, the reward is held with its name
        return Outcome.ERROR
    if found is None:
        return Outcome.UNKNOWN
    return Outcome.HIT if found else Outcome.MISS


def _total(judged: _Judged, *, is_allowed: bool) -> int:
    """Add up the hits; an entry of the allow list silences the soft ones."""
    return weight_of(
        result
        for rule, result in judged
        if result.outcome is Outcome.HIT and not (is_allowed and rule.severity is Severity.SOFT)
    )


def _verdict(judged: _Judged, total: int, snapshot: Snapshot, rule_set: RuleSet) -> Verdict:
    hits = {
        rule.severity for rule, result in judged if result.outcome is Outcome.HIT and result.weight
    }
    if Severity.CERTAIN in hits:
        return Verdict.BLOCK
    has_error = any(result.outcome is Outcome.ERROR for _, result in judged)
    if has_error or Severity.HARD in hits or total >= rule_set.thresholds.review:
        return Verdict.REVIEW
    is_sampled = snapshot.sample_point < rule_set.sample_percent * SAMPLE_POINTS_PER_PERCENT
    return Verdict.SAMPLE if is_sampled else Verdict.PASS
