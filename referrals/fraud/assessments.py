"""Assessments: each scoring is stored with the snapshot that it judged and each rule's outcome."""

import json
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import object_session
from sqlalchemy.orm.attributes import set_committed_value

from db.engine import ReadSession, Session
from db.statements.stored_rows import find_known, stored
from db.tables import AssessmentRow, ReferralRow
from domain.derived_ids import derived_id
from domain.fraud.rule_sets import BASE, Assessment, RuleSet, score
from domain.fraud.rules import Verdict
from domain.fraud.snapshot import Snapshot, stored_snapshot

_STORE: Final = text("""
    with stored as (
        insert into assessments (id, referral_id, deposit_event_id, score, verdict, reasons,
                                 evidence, rule_set, outcomes, is_sampled, hold_s, assessed_at)
        values (:id, :referral_id, :deposit_event_id, :score, :verdict, :reasons,
                :evidence, :rule_set, :outcomes, :is_sampled, :hold_s, :assessed_at)
        on conflict do nothing returning *
    ), judged as (
        update referrals set assessment_id = :id where id = :referral_id
    )
    select * from stored
""").bindparams(bindparam("evidence", type_=JSONB), bindparam("outcomes", type_=JSONB))
_FIND: Final = text("select * from assessments where id = :id")


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
    latest = await find_assessment(session, referral.assessment_id)
    judged = stored_snapshot(snapshot)
    if latest is not None and _judged_the_same(latest, judged, deposit_event_id, rule_set):
        return latest
    name = json.dumps(judged, sort_keys=True)
    row_id = derived_id(
        referral.id, "assessment", deposit_event_id, at.isoformat(), name, rule_set.version
    )
    values = {
        "id": row_id,
        "referral_id": referral.id,
        "deposit_event_id": deposit_event_id,
        "evidence": judged,
        "assessed_at": at,
        **_stored_assessment(score(snapshot, rule_set)),
    }
    written = (await session.execute(_STORE, values)).one_or_none()
    set_committed_value(referral, "assessment_id", row_id)
    if written is None:
        return await session.get_one(AssessmentRow, row_id)
    return stored(session, AssessmentRow, written)


def keep_known(session: Session, referral: ReferralRow, known: AssessmentRow | None) -> None:
    """Let a session have an assessment that an ended one has stored, if it is the referral's."""
    is_of_referral = known is not None and known.id == referral.assessment_id
    if is_of_referral and object_session(known) is None:
        session.add(known)


async def find_assessment(session: ReadSession, assessment_id: UUID | None) -> AssessmentRow | None:
    """Return an assessment; rows never change, so one that this transaction has is not read."""
    if assessment_id is None:
        return None
    if (known := find_known(session, AssessmentRow, assessment_id)) is not None:
        return known
    row = (await session.execute(_FIND, {"id": assessment_id})).one_or_none()
    return None if row is None else stored(session, AssessmentRow, row)


def _judged_the_same(
    row: AssessmentRow, judged: dict[str, Any], deposit_event_id: str, rule_set: RuleSet
) -> bool:
    is_same_deposit = row.deposit_event_id == deposit_event_id
    return is_same_deposit and row.evidence == judged and row.rule_set == rule_set.version


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
