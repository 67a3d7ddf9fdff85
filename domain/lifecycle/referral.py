"""A referral: who brought whom, on which terms, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.campaigns.terms import Terms


class Stage(StrEnum):
    """Where a referral stands."""

    INVITED = "INVITED"
    SIGNED_UP = "SIGNED_UP"
    HELD = "HELD"
    DEFERRED = "DEFERRED"
    REWARDED = "REWARDED"
    SETTLED = "SETTLED"
    EXPIRED = "EXPIRED"
    LOST = "LOST"
    REJECTED = "REJECTED"
    UNFUNDED = "UNFUNDED"
    VOIDED = "VOIDED"
    REVERSED = "REVERSED"


OPEN_STAGES: Final = frozenset(
    {Stage.INVITED, Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED, Stage.REWARDED}
)
"""Stages in which a workflow waits; REVERSED is one too until its window has closed."""

EARNING_STAGES: Final = frozenset({Stage.INVITED, Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED})
CREDITED_STAGES: Final = frozenset({Stage.REWARDED, Stage.SETTLED, Stage.REVERSED})
"""Stages in which what happens to the credited deposit still moves money."""

EVENT_TYPES: Final = {
    Stage.INVITED: "ReferralInvited",
    Stage.SIGNED_UP: "ReferralSignedUp",
    Stage.HELD: "RewardHeld",
    Stage.DEFERRED: "RewardDeferred",
    Stage.REWARDED: "RewardGranted",
    Stage.SETTLED: "ReferralSettled",
    Stage.EXPIRED: "ReferralExpired",
    Stage.LOST: "ReferralLost",
    Stage.REJECTED: "ReferralRejected",
    Stage.UNFUNDED: "ReferralUnfunded",
    Stage.VOIDED: "RewardVoided",
    Stage.REVERSED: "RewardReversed",
}


def event_type(entered: Stage, *, left: Stage | None) -> str:
    """The type of the event that tells of a stage change."""
    if entered is Stage.REWARDED and left is Stage.REVERSED:
        return "RewardReinstated"
    return EVENT_TYPES[entered]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a referral stands, and until when it may wait there."""

    stage: Stage
    until: datetime

    def __post_init__(self) -> None:
        if self.until.tzinfo is None:
            raise ValueError(f"{self.stage} until a time without an offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """What a referral's workflow is started with: ids, times and where it stands; no money."""

    referral_id: UUID
    campaign: str
    code: str
    referrer_id: str
    referee_id: str | None
    standing: Standing


def invitation_deadline(invited_at: datetime, terms: Terms) -> datetime:
    return invited_at + terms.signup_window + terms.lateness_grace


def deposit_deadline(signed_up_at: datetime, terms: Terms, *, heard_at: datetime) -> datetime:
    """A signup heard late still leaves the grace for its deposit to be heard."""
    return max(signed_up_at + terms.deposit_window, heard_at) + terms.lateness_grace
