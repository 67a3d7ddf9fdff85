"""Views of assessments, with the evidence that was judged: counts and flags, no personal data."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.tables import AssessmentRow
from domain.fraud.rules import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentView:
    assessment_id: UUID
    score: int
    verdict: Verdict
    reasons: tuple[str, ...]
    evidence: dict[str, Any]
    deposit_event_id: str
    assessed_at: datetime


def assessment_view(row: AssessmentRow) -> AssessmentView:
    return AssessmentView(
        assessment_id=row.id,
        score=row.score,
        verdict=row.verdict,
        reasons=tuple(row.reasons),
        evidence=row.evidence,
        deposit_event_id=row.deposit_event_id,
        assessed_at=row.assessed_at,
    )
