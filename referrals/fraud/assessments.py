"""Assessments: each scoring is stored with the evidence that it judged."""

import json
from dataclasses import asdict
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import AssessmentRow, ReferralRow
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

    A retry at the same time returns what was stored.
    """
    latest = await find_assessment(session, referral.assessment_id)
    if latest is not None and _judged_the_same(latest, evidence, deposit_event_id):
        return latest
    assessment = assess(evidence)
    row_id = uuid5(referral.id, f"assessment:{deposit_event_id}:{at.isoformat()}")
    values = {
        "id": row_id,
        "referral_id": referral.id,
        "deposit_event_id": deposit_event_id,
        "score": assessment.score,
        "verdict": assessment.verdict,
        "reasons": list(assessment.reasons),
        "evidence": asdict(evidence),
        "assessed_at": at,
    }
    await session.execute(insert(AssessmentRow).values(values).on_conflict_do_nothing())
    referral.assessment_id = row_id
    return await session.get_one(AssessmentRow, row_id)


async def find_assessment(session: ReadSession, assessment_id: UUID | None) -> AssessmentRow | None:
    if assessment_id is None:
        return None
    return await session.scalar(select(AssessmentRow).where(AssessmentRow.id == assessment_id))


def _judged_the_same(row: AssessmentRow, evidence: Evidence, deposit_event_id: str) -> bool:
    stored = json.loads(json.dumps(asdict(evidence)))
    return row.deposit_event_id == deposit_event_id and row.evidence == stored
