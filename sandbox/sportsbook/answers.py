"""What the service answers, as far as a sportsbook reads it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Money(Answer):
    minor: int
    currency: str


class Invitation(Answer):
    referral_id: str
    referral_token: str
    workflow_id: str


class Resolution(Answer):
    referral_token: str | None
    code: str | None
    method: str | None
    ask: str | None


class Candidate(Answer):
    method: str
    outcome: str


class Redecision(Answer):
    outcome: str
    agrees: bool


class Decision(Answer):
    """What was weighed, and the same decision made again."""

    outcome: str
    candidates: list[Candidate]
    decided_again: Redecision | None


class Reward(Answer):
    reward_id: str
    player_id: str
    amount: Money
    status: str
    deposit_event_id: str


class Passage(Answer):
    stage: str
    at: datetime
    reason: str | None


class Assessment(Answer):
    score: int
    verdict: str
    reasons: list[str]


class Referral(Answer):
    referral_id: str
    stage: str
    referrer_id: str
    referee_id: str | None
    campaign: str
    workflow_id: str
    assessment: Assessment | None
    rewards: list[Reward]
    timeline: list[Passage] = []

    @property
    def stages(self) -> list[str]:
        return [passage.stage for passage in self.timeline]


class Balance(Answer):
    """Minor units of one currency in each of a player's accounts."""

    available: list[Money]
    held: list[Money]
    owed: list[Money]

    def minor(self, account: str) -> int:
        amounts: list[Money] = getattr(self, account)
        return sum(amount.minor for amount in amounts)

    def dollars(self, account: str) -> str:
        return f"${self.minor(account) / 100:.2f}"


class Review(Answer):
    review_id: str
    referral_id: str
    reasons: list[str]
    decision: str | None


class Check(Answer):
    name: str
    ok: bool
    failures: list[Any]


class Lag(Answer):
    undelivered: int
    unpublished: int


class Verification(Answer):
    ok: bool
    checks: list[Check]
    lag: Lag

    @property
    def failures(self) -> dict[str, list[Any]]:
        return {check.name: check.failures for check in self.checks if not check.ok}
