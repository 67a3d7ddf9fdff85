"""Reviews, and what a reviewer says."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.v1.schemas.fields import MoneyOut, RequestBody, ResponseBody, Text
from domain.intake.facts import Choice


class DecisionIn(RequestBody):
    """A reviewer's word; the reviewer is the owner of the API key."""

    decision: Choice
    reason: Annotated[Text, Field(max_length=500)]


class ReviewOut(ResponseBody):
    review_id: UUID
    referral_id: UUID
    status: str
    score: int
    reasons: list[str]
    amount: MoneyOut
    opened_at: datetime
    escalated_at: datetime | None
    decision: Choice | None
    reviewer: str | None
    reason: str | None
    decided_at: datetime | None
