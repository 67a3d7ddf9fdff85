"""A fraud rule: its weight, its severity, its predicate and its words."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.fraud.snapshot import Snapshot
from domain.fraud.thresholds import Thresholds

Predicate = Callable[[Snapshot, Thresholds], bool | None]
"""True for a hit, False for a miss, None where the evidence is unknown. It may raise."""


class Severity(StrEnum):
    """Effect of one hit by itself."""

    NOTE = "note"
    """Weighs nothing; it tells the reviewer how to read the rest."""
    SOFT = "soft"
    """Never holds a reward by itself."""
    HARD = "hard"
    """Asks for a review by itself, whatever its weight."""
    CERTAIN = "certain"
    """Rejects without a review."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: the weight is where a rule set begins; `words` are for reviewers."""

    name: str
    severity: Severity
    weight: int
    predicate: Predicate
    words: str
