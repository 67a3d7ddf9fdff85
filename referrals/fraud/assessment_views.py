"""Views of assessments, with the evidence that was judged: counts and flags, no personal data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.tables import AssessmentRow
from domain.fraud.rule_sets import Outcome
from domain.fraud.rule_table import RULES
from domain.fraud.rules import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    rule: str
    weight: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentView:
    assessment_id: UUID
    rule_set: str | None
    """Version of the set; None before release 0.3, where `rules` is empty."""
    score: int
    verdict: Verdict
    reasons: tuple[str, ...]
    rules: tuple[RuleView, ...]
    """Every rule of the set once, in the order of the table."""
    evidence: dict[str, Any]
    deposit_event_id: str
    assessed_at: datetime


def assessment_view(row: AssessmentRow) -> AssessmentView:
    return AssessmentView(
        assessment_id=row.id,
        rule_set=row.rule_set,
        score=row.score,
        verdict=Verdict.SAMPLE if row.is_sampled else row.verdict,
        reasons=tuple(row.reasons),
        rules=_rules(row.outcomes or {}),
        evidence=row.evidence,
        deposit_event_id=row.deposit_event_id,
        assessed_at=row.assessed_at,
    )


def _rules(outcomes: dict[str, Any]) -> tuple[RuleView, ...]:
    """Return the stored outcomes; a rule that this release does not know comes last."""
    places = {rule.name: place for place, rule in enumerate(RULES)}
    return tuple(
        RuleView(rule=name, weight=found["weight"], outcome=Outcome(found["outcome"]))
        for name, found in sorted(
            outcomes.items(), key=lambda each: (places.get(each[0], len(places)), each[0])
        )
    )
