"""Bodies of the service's responses, as far as a sportsbook reads them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class ResponseBody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Money(ResponseBody):
    minor: int
    currency: str


class Invitation(ResponseBody):
    referral_id: str
    referral_token: str
    workflow_id: str


class Resolution(ResponseBody):
    referral_token: str | None
    code: str | None
    method: str | None
    ask: str | None


class JudgedTouch(ResponseBody):
    method: str
    outcome: str


class Redecision(ResponseBody):
    outcome: str
    agrees: bool


class AttributionDecision(ResponseBody):
    """A recorded decision, with the touches judged, and the same decision recomputed."""

    outcome: str
    candidates: list[JudgedTouch]
    decided_again: Redecision | None


class Reward(ResponseBody):
    reward_id: str
    player_id: str
    amount: Money
    status: str
    deposit_event_id: str


class StageChange(ResponseBody):
    stage: str
    at: datetime
    reason: str | None
    reason_code: str | None


class Assessment(ResponseBody):
    assessment_id: str
    score: int
    verdict: str
    reasons: list[str]


class Hold(ResponseBody):
    reason: str
    since: datetime
    until: datetime | None


class Fact(ResponseBody):
    """An event of a referral's pair, and why it counts or does not."""

    kind: str
    event_id: str
    counts: bool
    reason_code: str
    reason: str


class Referral(ResponseBody):
    referral_id: str
    stage: str
    until: datetime
    referrer_id: str
    referee_id: str | None
    campaign: str
    workflow_id: str
    assessment: Assessment | None
    holds: list[Hold]
    rewards: list[Reward]
    timeline: list[StageChange] = []

    @property
    def stages(self) -> list[str]:
        return [change.stage for change in self.timeline]


class Balance(ResponseBody):
    """Minor units of one currency in each of a player's accounts."""

    available: list[Money]
    held: list[Money]
    owed: list[Money]

    def minor(self, account: str) -> int:
        amounts: list[Money] = getattr(self, account)
        return sum(amount.minor for amount in amounts)

    def dollars(self, account: str) -> str:
        return f"${self.minor(account) / 100:.2f}"


class Review(ResponseBody):
    review_id: str
    referral_id: str
    referrer_id: str
    referee_id: str | None
    campaign: str
    due_at: datetime
    reasons: list[str]
    decision: str | None


class Check(ResponseBody):
    name: str
    ok: bool
    failures: list[Any]


class Lag(ResponseBody):
    undelivered: int
    unpublished: int


class Verification(ResponseBody):
    ok: bool
    checks: list[Check]
    lag: Lag

    @property
    def failures(self) -> dict[str, list[Any]]:
        return {check.name: check.failures for check in self.checks if not check.ok}
