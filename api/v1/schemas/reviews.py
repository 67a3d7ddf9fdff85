"""Bodies of /v1/reviews."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import MoneyOut, Reason, RequestBody, ResponseBody, VersionRead
from domain.intake.facts import Choice


class DecisionIn(RequestBody):
    """A reviewer's decision. The reviewer is the owner of the API key."""

    decision: Choice
    reason: Reason
    version: VersionRead | None = Field(
        default=None,
        description="Version of the review that was read; without it, it is decided as it is now",
    )


class ReviewOut(ResponseBody):
    """A review of a held reward, and the decision once there is one."""

    review_id: UUID
    version: str = Field(
        description="Fingerprint of what is decided: score, reasons, amount and evidence. Send it"
        " with the decision",
        examples=["3f2a9c0d5b7e41868f0a1c2d3e4f5061"],
    )
    referral_id: UUID
    referrer_id: str
    referee_id: str | None
    campaign: str
    attempt: int = Field(
        description="The qualification whose evidence is reviewed, counted per referral"
    )
    round: int = Field(description="Number of the review among those of its referral")
    status: str = Field(description="`open`, `decided`, or `closed`: events made it unnecessary")
    score: int
    reasons: list[str] = Field(description="Stable reason codes of the assessment")
    assessment_id: UUID | None
    evidence: dict[str, Any] | None = Field(
        description="What the assessment judged: counts of players who share a value with the"
        " referee, flags, and the fraud providers that warned or did not answer"
    )
    amount: MoneyOut = Field(description="The rewards of both sides together")
    opened_at: datetime
    due_at: datetime = Field(
        description="End of the review period; an open review is escalated then, and gets another"
    )
    escalated_at: datetime | None
    decision: Choice | None
    reviewer: str | None
    reason: str | None
    decided_at: datetime | None
