"""Reason codes: why a referral entered a stage, each with the prose shown beside it."""

from enum import StrEnum


class ReasonCode(StrEnum):
    """A stable word for machines; `text` is its sentence for people."""

    HOLD_PERIOD = "hold_period"
    REVIEW = "review"
    INELIGIBLE = "ineligible"
    FUNDS = "funds"
    FRAUD = "fraud"
    REVIEWER_REJECTED = "reviewer_rejected"
    DEPOSIT_TAKEN_BACK = "deposit_taken_back"
    CHARGEBACK_WON = "chargeback_won"
    CHARGEBACK_WINDOW_CLOSED = "chargeback_window_closed"
    CAMPAIGN_ENDED = "campaign_ended"
    NO_SIGNUP = "no_signup"
    NO_DEPOSIT = "no_deposit"
    REPORTED_LATE = "reported_late"
    SUPERSEDED = "superseded"
    REBOUND = "rebound"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS = {
    ReasonCode.HOLD_PERIOD: "in its hold period",
    ReasonCode.REVIEW: "in review",
    ReasonCode.INELIGIBLE: "a player may not be credited now",
    ReasonCode.FUNDS: "the campaign's budget is used up; it goes on when that is topped up",
    ReasonCode.FRAUD: "fraud",
    ReasonCode.REVIEWER_REJECTED: "a reviewer rejected it",
    ReasonCode.DEPOSIT_TAKEN_BACK: "the deposit was taken back",
    ReasonCode.CHARGEBACK_WON: "the chargeback was won",
    ReasonCode.CHARGEBACK_WINDOW_CLOSED: "the chargeback window has closed",
    ReasonCode.CAMPAIGN_ENDED: "the campaign ended without a budget for it",
    ReasonCode.NO_SIGNUP: "no signup in time",
    ReasonCode.NO_DEPOSIT: "no qualifying deposit in time",
    ReasonCode.REPORTED_LATE: "what it had waited for was in time, and was reported late",
    ReasonCode.SUPERSEDED: "superseded",
    ReasonCode.REBOUND: "rebound",
}
