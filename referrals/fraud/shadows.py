"""Shadow assessments: snapshots scored by a rule set that decides nothing."""

from sqlalchemy.dialects.postgresql import insert

from db.engine import Session
from db.tables import AssessmentRow, ShadowAssessment
from domain.fraud.rule_sets import RuleSet, score
from domain.fraud.snapshot import read_snapshot


async def assess_in_shadow(session: Session, row: AssessmentRow, shadow: RuleSet) -> None:
    """Score an assessment's stored snapshot by the shadow rule set, once."""
    assessed = score(read_snapshot(row.evidence), shadow)
    values = {
        "assessment_id": row.id,
        "rule_set": int(shadow.version),
        "score": assessed.score,
        "verdict": assessed.verdict,
        "reasons": list(assessed.reasons),
        "outcomes": {
            result.rule: {"weight": result.weight, "outcome": result.outcome.value}
            for result in assessed.results
        },
        "assessed_at": row.assessed_at,
    }
    await session.execute(insert(ShadowAssessment).values(values).on_conflict_do_nothing())
