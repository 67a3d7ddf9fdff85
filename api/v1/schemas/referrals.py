"""Bodies of /v1/referrals and /v1/rewards."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AliasChoices, BeforeValidator, Field

from api.v1.schemas.attributions import CandidateOut
from api.v1.schemas.fields import MoneyOut, ResponseBody, ShownEventId
from domain.attribution.policy import Method
from domain.campaigns.rules import RewardType
from domain.fraud.rule_sets import Outcome
from domain.fraud.rules import Verdict
from domain.lifecycle.referral import Stage
from domain.money import RewardKind
from domain.rewards.holds import HoldReason
from domain.rewards.reward import RewardStatus
from workflows.client import workflow_id

_WorkflowId = Annotated[str, BeforeValidator(workflow_id)]
"""Derived from the referral's id."""


class AttributionOut(ResponseBody):
    """The method that decided the attribution, and every touch that was considered."""

    method: Method
    confidence: float = Field(description="From 0 to 1")
    candidates: list[CandidateOut]


class RuleOut(ResponseBody):
    """A rule of the set, and what it found in the evidence."""

    rule: str
    weight: int
    outcome: Outcome = Field(
        description="`unknown` where the evidence was never reported, which weighs nothing; `error`"
        " where the rule failed, which asks for a review"
    )


class AssessmentOut(ResponseBody):
    """The latest fraud assessment."""

    assessment_id: UUID
    rule_set: str | None = Field(
        description="Version of the rule set; null for an assessment of before release 0.3"
    )
    score: int
    verdict: Verdict = Field(
        description="`sample` is paid, and opens a case that only measures what is missed"
    )
    reasons: list[str] = Field(description="The rules that hit or failed")
    rules: list[RuleOut] = Field(description="Every rule of the set once")
    assessed_at: datetime


class PassageOut(ResponseBody):
    """A stage that the referral entered."""

    stage: Stage
    at: datetime
    reason: str | None
    reason_code: str | None = Field(
        description="The reason as a stable word; null where there is none"
    )


class HoldOut(ResponseBody):
    """A reason why rewards are not credited yet."""

    reason: HoldReason = Field(
        description="`hold_period` (until its end), `review` (until a person decides), `ineligible`"
        " (until the player is restored), `funds` (until the budget is topped up)"
    )
    detail: list[str] = Field(description="Reason codes beneath it, as of an assessment")
    since: datetime
    until: datetime | None = Field(description="Null where only an event ends it")


class RewardOut(ResponseBody):
    """A reward of one player for one referral, and the facts it rests on."""

    reward_id: UUID
    referral_id: UUID
    player_id: str
    reward_type: RewardType
    kind: RewardKind = Field(description="The balance that it is credited to")
    amount: MoneyOut = Field(description="What was computed, less what refunds have taken of it")
    computation: dict[str, Any] = Field(
        description="How the amount was found: `version`, `amount` (as in the terms), `base` (what"
        " was left of the deposits), `count` (of the referrer's rewarded referrals, this one"
        " counted),"
        " `jurisdiction`, `tier` (its `from`), `limit` (the bound that a percentage met), `rate`,"
        " `rounding`, and `conversion` where something depends on exchange rates"
    )
    status: RewardStatus
    held_until: datetime | None
    deferred_until: datetime | None = Field(
        description="First instant of the next period of the limit that it waits for"
    )
    deferred_reason: HoldReason | None = Field(description="Why it is DEFERRED; else null")
    deposit_event_id: ShownEventId
    assessment_id: UUID | None
    qualification_id: UUID | None = Field(description="Null for a reward of before release 0.3")
    created_at: datetime
    changed_at: datetime


class AcceptanceOut(ResponseBody):
    """The version of the offer's terms that a player accepted."""

    version: str = Field(
        description="As it was reported with the code or the signup", examples=["nj-2026-03"]
    )
    shown: str | None = Field(
        description="The version that the offer had for that place; null for none",
        examples=["nj-2026-03"],
    )
    jurisdiction: str | None = Field(description="Where; null where it is unknown")
    at: datetime = Field(description="Time of the request for the code, or of the signup")


class AcceptedTermsOut(ResponseBody):
    """Acceptances of the offer's terms; null where none was reported."""

    referrer: AcceptanceOut | None = Field(
        default=None, description="Reported when the referrer asked for the code"
    )
    referee: AcceptanceOut | None = Field(default=None, description="Reported with the signup")


class ReferralSummary(ResponseBody):
    """A referral with its stage, attribution, assessment and rewards."""

    referral_id: UUID
    stage: Stage
    until: datetime = Field(
        description="When the referral expires, is credited, settled, escalated or looked at again,"
        " if nothing happens before"
    )
    campaign: str
    variant: str | None = Field(
        description="The variant whose rewards were promised; null where there was none",
        examples=["fifteen"],
    )
    accepted_terms: AcceptedTermsOut = Field(
        description="The versions of the terms that the two players accepted"
    )
    code: str
    referrer_id: str
    referee_id: str | None = Field(description="Null before the signup")
    invited_at: datetime
    attribution: AttributionOut | None
    assessment: AssessmentOut | None
    holds: list[HoldOut] = Field(
        description="What the rewards wait for now; empty but at HELD and DEFERRED"
    )
    rewards: list[RewardOut]
    workflow_id: _WorkflowId = Field(
        validation_alias=AliasChoices("referral_id"),
        description="The Temporal workflow of this referral",
    )


class ReferralOut(ReferralSummary):
    """A referral with every stage it entered, oldest first."""

    timeline: list[PassageOut]
