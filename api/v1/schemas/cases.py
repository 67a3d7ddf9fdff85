"""Bodies of /v1/cases."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import (
    MoneyOut,
    Note,
    PlannedTime,
    Reason,
    RequestBody,
    ResponseBody,
    VersionRead,
)
from domain.fraud.cases import CaseChoice, CaseKind, CaseStatus, SubjectKind
from domain.intake.facts import Choice


class CaseNoteIn(RequestBody):
    """A note on a case. Its author is the owner of the API key."""

    text: Note


class CaseDecisionIn(RequestBody):
    """A reviewer's decision on a case. The reviewer is the owner of the API key."""

    decision: CaseChoice
    reason: Reason
    until: PlannedTime | None = Field(
        default=None, description="When the case is due then; `extend` alone takes and needs it"
    )
    version: VersionRead | None = Field(
        default=None,
        description="Version of the case that was read; without it, it is decided as it is now",
    )


class CaseNoteOut(ResponseBody):
    text: str
    author: str
    at: datetime


class CaseLinkOut(ResponseBody):
    """A value that several players of the case share; the value itself is not shown."""

    kind: str
    players: list[str]
    shared_by: int = Field(description="All players who share it, at most 1000 are counted")


class CaseClusterOut(ResponseBody):
    """Both sides of each referral and the players of their clusters, with what links them."""

    players: list[str]
    links: list[CaseLinkOut]


class CaseEvidenceOut(ResponseBody):
    """The judged evidence of one referral of the case: counts and flags, no personal data."""

    referral_id: UUID
    review_id: UUID | None
    assessment_id: UUID
    score: int
    verdict: str
    reasons: list[str]
    evidence: dict[str, Any]


class CaseApprovalOut(ResponseBody):
    """A first person's decision, which a second person has to repeat."""

    decision: Choice
    by: str
    reason: str
    at: datetime


class CaseDecisionOut(ResponseBody):
    decision: Choice
    reason: str
    by: str
    at: datetime


class CaseOut(ResponseBody):
    """Doubtful referrals that one person judges together."""

    case_id: UUID
    version: str = Field(
        description="Fingerprint of what is decided: reviews, rewards, players and notes. Send it"
        " with the decision; leases and due times do not change it",
        examples=["3f2a9c0d5b7e41868f0a1c2d3e4f5061"],
    )
    kind: CaseKind = Field(
        description="`held`: rewards wait for the decision; `late_link`: they were credited before"
        " a link was learned; `sample`: they passed, and are measured. A rejection voids what is"
        " `held`, takes back what a `late_link` is about, and takes nothing back of a `sample`"
    )
    status: CaseStatus = Field(
        description="`open`, `claimed` (by a lease that has not ended), `decided`, or `closed`:"
        " events left nothing to decide"
    )
    subject_kind: SubjectKind
    subject: str = Field(description="The cluster, else the referrer; the referral of a sample")
    opened_at: datetime
    due_at: datetime = Field(
        description="An open case is escalated then, and gets another review period"
    )
    escalated_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    score: int = Field(description="The highest of its referrals")
    reasons: list[str] = Field(description="Stable reason codes of all its referrals")
    referrals: list[UUID]
    reviews: list[UUID] = Field(description="The reviews that the decision decides")
    rewards: list[UUID]
    amount: list[MoneyOut] = Field(description="All rewards of its referrals, by currency")
    takes_back: list[MoneyOut] = Field(
        description="What a rejection takes back of credited rewards, by currency"
    )
    cluster: CaseClusterOut
    evidence: list[CaseEvidenceOut]
    notes: list[CaseNoteOut]
    approvals: list[CaseApprovalOut]
    decision: CaseDecisionOut | None


class SecondPersonOut(ResponseBody):
    """The answer to a first decision on an amount that two people must decide."""

    status: Literal["second_person_required"] = "second_person_required"
