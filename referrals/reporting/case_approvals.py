"""Decisions of first persons on cases of much money, which second ones have to repeat."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from db.engine import ReadSession
from db.tables import ApprovalRow, Review, Reward
from domain.intake.facts import Choice
from referrals.fraud.cases.second_person import TAKE_BACK, approvable, rejectable


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseApproval:
    """A first person's decision on the case as it is now, which a second one has to repeat."""

    decision: Choice
    by: str
    reason: str
    at: datetime


async def load_approvals(
    session: ReadSession, case_ids: Sequence[UUID]
) -> Mapping[str, list[ApprovalRow]]:
    subjects = [f"case:{case_id}" for case_id in case_ids]
    query = select(ApprovalRow).where(ApprovalRow.subject.in_(subjects))
    approvals: defaultdict[str, list[ApprovalRow]] = defaultdict(list)
    for row in await session.scalars(query.order_by(ApprovalRow.at, ApprovalRow.id)):
        approvals[row.subject].append(row)
    return approvals


def current_approvals(
    given: Sequence[ApprovalRow],
    case_id: UUID,
    *,
    undecided: Sequence[Review],
    credited: Sequence[Reward],
) -> list[CaseApproval]:
    """Return those of the given approvals that are of the case as it is now."""
    subject = f"case:{case_id}"
    asked = (approvable(subject, undecided), rejectable(subject, credited))
    current = {(one.action, one.content) for one in asked}
    return [
        CaseApproval(
            decision=Choice.REJECT if one.action == TAKE_BACK else Choice.APPROVE,
            by=one.approved_by,
            reason=one.reason,
            at=one.at,
        )
        for one in given
        if (one.action, one.content) in current
    ]
