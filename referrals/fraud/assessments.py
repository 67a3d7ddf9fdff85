"""Assessments: each scoring is stored with the evidence that it judged."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import AssessmentRow, ReferralRow
from domain.derived_ids import derived_id
from domain.fraud.rules import Evidence, assess


async def assess_and_store(
    session: Session,
    referral: ReferralRow,
    evidence: Evidence,
    *,
    deposit_event_id: str,
    at: datetime,
) -> AssessmentRow:
    """Assess the evidence of a qualification and store it, unless the latest one judged the same.

    A retry returns what was stored; what was learned since counts, even at the same instant.
    """
    latest, stored = await find_assessment(session, referral.assessment_id), _stored(evidence)
    if latest is not None and _judged_the_same(latest, stored, deposit_event_id):
        return latest
    assessment = assess(evidence)
    judged = json.dumps(stored, sort_keys=True)
    row_id = derived_id(referral.id, "assessment", deposit_event_id, at.isoformat(), judged)
    values = {
        "id": row_id,
        "referral_id": referral.id,
        "deposit_event_id": deposit_event_id,
        "score": assessment.score,
        "verdict": assessment.verdict,
        "reasons": list(assessment.reasons),
        "evidence": stored,
        "assessed_at": at,
    }
    await session.execute(insert(AssessmentRow).values(values).on_conflict_do_nothing())
    referral.assessment_id = row_id
    return await session.get_one(AssessmentRow, row_id)


async def find_assessment(session: ReadSession, assessment_id: UUID | None) -> AssessmentRow | None:
    if assessment_id is None:
        return None
    return await session.scalar(select(AssessmentRow).where(AssessmentRow.id == assessment_id))


def _judged_the_same(row: AssessmentRow, stored: dict[str, Any], deposit_event_id: str) -> bool:
    return row.deposit_event_id == deposit_event_id and row.evidence == stored


def _stored(evidence: Evidence) -> dict[str, Any]:
    """Return evidence as JSON gives it back."""
    values: dict[str, Any] = json.loads(json.dumps(asdict(evidence)))
    return values
