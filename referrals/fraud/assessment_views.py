"""Views of assessments, with the evidence that was judged: counts and flags, no personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import AssessmentRow, ReferralRow, SignupAssessment
from domain.derived_ids import derived_id
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAssessmentView:
    """An assessment among all of its referral: at the signup, or of what qualified."""

    assessment_id: UUID
    rule_set: str | None
    score: int
    verdict: Verdict
    reasons: tuple[str, ...]
    rules: tuple[RuleView, ...]
    assessed_at: datetime
    evidence: Mapping[str, Any]
    deposit_event_id: str | None
    """The deposit that qualified; None where the signup was assessed."""
    ineligible: tuple[str, ...] = ()


async def list_assessments(
    session: ReadSession, referral_id: UUID, *, limit: int
) -> Sequence[ListedAssessmentView] | None:
    """Return the assessments of a referral, oldest first, the latest `limit`; None if unknown."""
    if await session.get(ReferralRow, referral_id) is None:
        return None
    query = select(AssessmentRow).where(AssessmentRow.referral_id == referral_id)
    latest = query.order_by(AssessmentRow.assessed_at.desc(), AssessmentRow.id.desc())
    rows = (await session.scalars(latest.limit(limit))).all()
    views = [_listed(assessment_view(row)) for row in reversed(rows)]
    at_signup = await session.get(SignupAssessment, referral_id)
    return [_of_signup(at_signup), *views] if at_signup else views


def _listed(view: AssessmentView) -> ListedAssessmentView:
    shared = {field.name: getattr(view, field.name) for field in fields(AssessmentView)}
    return ListedAssessmentView(**shared)


def _of_signup(row: SignupAssessment) -> ListedAssessmentView:
    return ListedAssessmentView(
        assessment_id=derived_id(row.referral_id, "signup assessment"),
        rule_set=row.rule_set,
        score=row.score,
        verdict=row.verdict,
        reasons=tuple(row.reasons),
        rules=_rules(row.outcomes),
        assessed_at=row.assessed_at,
        evidence=row.evidence,
        deposit_event_id=None,
        ineligible=tuple(row.ineligible),
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
