"""Assessments: each scoring is stored with the snapshot that it judged and each rule's outcome."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from db.engine import ReadSession, Session
from db.tables import AssessmentRow, ReferralRow
from domain.derived_ids import derived_id
from domain.fraud.rule_sets import BASE, Assessment, RuleSet, score
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import Snapshot, stored_snapshot


async def assess_and_store(
    session: Session,
    referral: ReferralRow,
    snapshot: Snapshot,
    *,
    deposit_event_id: str,
    at: datetime,
    rule_set: RuleSet = BASE,
) -> AssessmentRow:
    """Assess the evidence of a qualification and store it, unless the latest one judged the same.

    A retry returns what was stored; what was learned since counts, even at the same instant.
    """
    latest, stored = (
        await find_assessment(session, referral.assessment_id),
        stored_snapshot(snapshot),
    )
    if latest is not None and _judged_the_same(latest, stored, deposit_event_id, rule_set):
        return latest
    assessment = score(snapshot, rule_set)
    judged = json.dumps(stored, sort_keys=True)
    row_id = derived_id(
        referral.id, "assessment", deposit_event_id, at.isoformat(), judged, rule_set.version
    )
    values = {
        "id": row_id,
        "referral_id": referral.id,
        "deposit_event_id": deposit_event_id,
        "evidence": stored,
        "assessed_at": at,
        **_stored_assessment(assessment),
    }
    statement = insert(AssessmentRow).values(values).on_conflict_do_nothing()
    written = await session.scalar(statement.returning(AssessmentRow))
    referral.assessment_id = row_id
    return await session.get_one(AssessmentRow, row_id) if written is None else written


async def find_assessment(session: ReadSession, assessment_id: UUID | None) -> AssessmentRow | None:
    if assessment_id is None:
        return None
    # Rows never change, so one that this transaction has read is read once.
    return await session.get(AssessmentRow, assessment_id)


def _judged_the_same(
    row: AssessmentRow, stored: dict[str, Any], deposit_event_id: str, rule_set: RuleSet
) -> bool:
    is_same_deposit = row.deposit_event_id == deposit_event_id
    return is_same_deposit and row.evidence == stored and row.rule_set == rule_set.version


def _stored_assessment(assessment: Assessment) -> dict[str, Any]:
    is_sampled = assessment.verdict is Verdict.SAMPLE
    return {
        "score": assessment.score,
        "verdict": Verdict.PASS if is_sampled else assessment.verdict,
        "reasons": list(assessment.reasons),
        "rule_set": assessment.rule_set,
        "outcomes": {
            result.rule: {"weight": result.weight, "outcome": result.outcome.value}
            for result in assessment.results
        },
        "is_sampled": is_sampled,
        "hold_s": assessment.hold_s,
    }
