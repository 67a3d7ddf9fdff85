"""A referral: its stages, its standing, and the deadlines that its terms set."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.campaigns.terms import Terms


class Stage(StrEnum):
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
"""Stages in which a workflow waits; so does one in REVERSED until its window has closed."""

EARNING_STAGES: Final = frozenset({Stage.INVITED, Stage.SIGNED_UP, Stage.HELD, Stage.DEFERRED})
CREDITED_STAGES: Final = frozenset({Stage.REWARDED, Stage.SETTLED, Stage.REVERSED})
"""Stages in which a chargeback of the credited deposit, or a win, still moves money."""

MONEY_STAGES: Final = OPEN_STAGES - {Stage.INVITED, Stage.SIGNED_UP} | {
    Stage.SETTLED,
    Stage.VOIDED,
    Stage.REVERSED,
    Stage.REJECTED,
    Stage.UNFUNDED,
}
"""Stages whose events tell of rewards."""

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

REOPEN_WINDOW: Final = timedelta(days=30)
"""Time after its expiry within which a referral is re-opened by what was in time and is reported
late; longer than any outage of a caller, short enough to close a campaign's books."""


def event_type(entered: Stage, *, previous: Stage | None) -> str:
    """Return the type of the event of a stage change."""
    if entered is Stage.REWARDED and previous is Stage.REVERSED:
        return "RewardReinstated"
    return EVENT_TYPES[entered]


@dataclass(frozen=True, slots=True)
class Standing:
    """A referral's stage, and until when it waits there before it is looked at again.

    `note` is shown in the Temporal UI, and decides nothing. `is_found` is True where an act found
    the referral elsewhere than its workflow believed, and did nothing: what woke the workflow has
    not been looked at there.
    """

    stage: Stage
    until: datetime
    note: str = field(default="", compare=False)
    is_found: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.until.tzinfo is None:
            raise ValueError(f"the end of {self.stage} is a time without an offset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Input of a referral's workflow: ids and standing, no money and no personal data."""

    referral_id: UUID
    campaign: str
    code: str
    referrer_id: str
    referee_id: str | None
    standing: Standing


def token_expires_at(invited_at: datetime, terms: Terms) -> datetime:
    """Return when an invitation's token ends: a signup after that is not attributed to it."""
    return invited_at + terms.signup_window


def invitation_deadline(invited_at: datetime, terms: Terms) -> datetime:
    """Return when an invitation expires: it leaves the grace for a signup reported late."""
    return token_expires_at(invited_at, terms) + terms.lateness_grace


def may_reopen(standing: Standing, *, now: datetime) -> bool:
    """Return whether what was in time may still re-open a referral; it waited until it expired."""
    return standing.stage is Stage.EXPIRED and now <= standing.until + REOPEN_WINDOW


def deposit_deadline(signed_up_at: datetime, terms: Terms, *, received_at: datetime) -> datetime:
    """Return the deadline; after a signup received late, the grace still begins at its receipt."""
    return max(signed_up_at + terms.deposit_window, received_at) + terms.lateness_grace
