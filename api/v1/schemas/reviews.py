"""Bodies of /v1/reviews."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import MoneyOut, Reason, RequestBody, ResponseBody
from domain.intake.facts import Choice


class DecisionIn(RequestBody):
    """A reviewer's decision. The reviewer is the owner of the API key."""

    decision: Choice
    reason: Reason


class ReviewOut(ResponseBody):
    """A review of a held reward, and the decision once there is one."""

    review_id: UUID
    referral_id: UUID
    status: str = Field(description="`open`, `decided`, or `closed`: events made it unnecessary")
    score: int
    reasons: list[str] = Field(description="Stable reason codes of the assessment")
    amount: MoneyOut
    opened_at: datetime
    escalated_at: datetime | None
    decision: Choice | None
    reviewer: str | None
    reason: str | None
    decided_at: datetime | None
