"""Referrals and rewards, as they are shown."""

from datetime import datetime
from typing import Self
from uuid import UUID

from api.v1.schemas.claims import CandidateOut
from api.v1.schemas.fields import MoneyOut, ResponseBody
from domain.attribution.policy import Method
from domain.fraud.rules import Verdict
from domain.lifecycle.referral import Stage
from domain.rewards.reward import RewardStatus, RewardType
from referrals.reporting.referral_views import ReferralView
from workflows.client import workflow_id


class AttributionOut(ResponseBody):
    """How it came to be this referral, and every touch that was weighed for it."""

    method: Method
    confidence: float
    candidates: list[CandidateOut]


class AssessmentOut(ResponseBody):
    score: int
    verdict: Verdict
    reasons: list[str]


class PassageOut(ResponseBody):
    stage: Stage
    at: datetime
    reason: str | None


class RewardOut(ResponseBody):
    reward_id: UUID
    referral_id: UUID
    player_id: str
    reward_type: RewardType
    amount: MoneyOut
    status: RewardStatus
    held_until: datetime | None
    deposit_event_id: str
    assessment_id: UUID | None
    created_at: datetime
    changed_at: datetime


class ReferralSummary(ResponseBody):
    referral_id: UUID
    stage: Stage
    until: datetime
    campaign: str
    code: str
    referrer_id: str
    referee_id: str | None
    invited_at: datetime
    attribution: AttributionOut | None
    assessment: AssessmentOut | None
    rewards: list[RewardOut]
    workflow_id: str

    @classmethod
    def of(cls, view: ReferralView, **more: object) -> Self:
        shown = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name)}
        return cls.model_validate(shown | more | {"workflow_id": workflow_id(view.referral_id)})


class ReferralOut(ReferralSummary):
    timeline: list[PassageOut]
