"""Reason codes: why a referral entered a stage, each with the prose shown beside it."""

from enum import StrEnum


class ReasonCode(StrEnum):
    """A stable word for machines; `text` is its sentence for people."""

    HOLD_PERIOD = "hold_period"
    REVIEW = "review"
    INELIGIBLE = "ineligible"
    FUNDS = "funds"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_REFUSED = "payment_refused"
    SWITCHED_OFF = "switched_off"
    LIMIT = "limit"
    TAX = "tax"
    FRAUD = "fraud"
    REVIEWER_REJECTED = "reviewer_rejected"
    DEPOSIT_TAKEN_BACK = "deposit_taken_back"
    CHARGEBACK_WON = "chargeback_won"
    CHARGEBACK_WINDOW_CLOSED = "chargeback_window_closed"
    CAMPAIGN_ENDED = "campaign_ended"
    NO_SIGNUP = "no_signup"
    NO_DEPOSIT = "no_deposit"
    CONDITION_NOT_MET = "condition_not_met"
    TURNOVER_NOT_REACHED = "turnover_not_reached"
    FIRST_DEPOSIT_BELOW_MINIMUM = "first_deposit_below_minimum"
    NO_RATE = "no_rate"
    NOTHING_TO_PAY = "nothing_to_pay"
    REPORTED_LATE = "reported_late"
    SUPERSEDED = "superseded"
    REBOUND = "rebound"

    @property
    def text(self) -> str:
        return _TEXTS[self]


def code_of(reason: str | None) -> ReasonCode | None:
    """Return the code of a stored reason, or None where it has none.

    Release 0.2 stored only the prose, with a detail behind some of it.
    """
    return next((code for code, text in _TEXTS.items() if _begins_with(reason or "", text)), None)


def _begins_with(reason: str, text: str) -> bool:
    return reason == text or reason.startswith((f"{text}: ", f"{text} while "))


_TEXTS = {
    ReasonCode.HOLD_PERIOD: "in its hold period",
    ReasonCode.REVIEW: "in review",
    ReasonCode.INELIGIBLE: "a player may not be credited now",
    ReasonCode.FUNDS: "the campaign's budget is used up; it goes on when that is topped up",
    ReasonCode.PAYMENT_PENDING: "the wallet has not answered yet",
    ReasonCode.PAYMENT_REFUSED: "the wallet refused the payment",
    ReasonCode.SWITCHED_OFF: "switched off; it goes on when it is switched on again",
    ReasonCode.LIMIT: "it exceeds a limit of the campaign",
    ReasonCode.TAX: "a player's yearly threshold is reached; it goes on when that is released",
    ReasonCode.FRAUD: "fraud",
    ReasonCode.REVIEWER_REJECTED: "a reviewer rejected it",
    ReasonCode.DEPOSIT_TAKEN_BACK: "the deposit was taken back",
    ReasonCode.CHARGEBACK_WON: "the chargeback was won",
    ReasonCode.CHARGEBACK_WINDOW_CLOSED: "the chargeback window has closed",
    ReasonCode.CAMPAIGN_ENDED: "the campaign ended without a budget for it",
    ReasonCode.NO_SIGNUP: "no signup in time",
    ReasonCode.NO_DEPOSIT: "no qualifying deposit in time",
    ReasonCode.CONDITION_NOT_MET: "a condition of the campaign was not met in time",
    ReasonCode.TURNOVER_NOT_REACHED: "the stakes did not reach the campaign's turnover in time",
    ReasonCode.FIRST_DEPOSIT_BELOW_MINIMUM: "the first deposit decides, and was below the minimum",
    ReasonCode.NO_RATE: "no exchange rate is known by which to judge its deposit",
    ReasonCode.NOTHING_TO_PAY: "the terms pay nothing for it",
    ReasonCode.REPORTED_LATE: "what it had waited for was in time, and was reported late",
    ReasonCode.SUPERSEDED: "superseded",
    ReasonCode.REBOUND: "rebound",
}
