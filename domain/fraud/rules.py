"""Fraud rules: weights added up to a score, and the verdict that follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    PASS = "pass"
    SAMPLE = "sample"
    """Passes, and is reviewed all the same, to measure what is missed."""
    REVIEW = "review"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Evidence about the two players of a referral at the time of scoring.

    `shared_*` count the players among the referrer and the referrer's other referees who share a
    value with the referee. `warnings` names the fraud providers that warned of the pair,
    `unavailable` those that did not answer.
    """

    same_player: bool = False
    same_identity: bool = False
    shared_contacts: int = 0
    shared_instruments: int = 0
    shared_devices: int = 0
    shared_addresses: int = 0
    warnings: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    weight: int
    applies: Callable[[Evidence], bool]


@dataclass(frozen=True, slots=True)
class Assessment:
    score: int
    verdict: Verdict
    reasons: tuple[str, ...]


# A shared address alone may be a household or a dormitory: its weight is too low to hold a reward.
RULES: Final = (
    Rule("same_player", 100, lambda e: e.same_player),
    Rule("same_identity", 100, lambda e: e.same_identity),
    Rule("shared_payment_instrument", 70, lambda e: e.shared_instruments > 0),
    Rule("shared_device", 60, lambda e: e.shared_devices > 0),
    Rule("shared_contact", 60, lambda e: e.shared_contacts > 0),
    Rule("outside_warning", 60, lambda e: bool(e.warnings)),
    Rule("signal_unavailable", 50, lambda e: bool(e.unavailable)),
    Rule("shared_address", 10, lambda e: e.shared_addresses > 0),
)
REVIEW_FROM_SCORE: Final = 50
"""Lowest score, of 100, that a person has to review."""

BLOCKING_RULES: Final = frozenset({"same_player", "same_identity"})
"""Rules that reject without a review, because they are certain; any sum of doubts is reviewed."""


def assess(evidence: Evidence) -> Assessment:
    fired = [rule for rule in RULES if rule.applies(evidence)]
    reasons = tuple(rule.name for rule in fired)
    score = min(100, sum(rule.weight for rule in fired))
    return Assessment(score, _verdict(score, reasons), reasons)


def _verdict(score: int, reasons: tuple[str, ...]) -> Verdict:
    if BLOCKING_RULES.intersection(reasons):
        return Verdict.BLOCK
    return Verdict.REVIEW if score >= REVIEW_FROM_SCORE else Verdict.PASS
