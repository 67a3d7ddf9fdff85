"""Holds: reasons why a qualified reward is not credited yet, each with or without an end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HoldReason(StrEnum):
    """The reason code of a hold."""

    HOLD_PERIOD = "hold_period"
    REVIEW = "review"
    INELIGIBLE = "ineligible"
    FUNDS = "funds"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_REFUSED = "payment_refused"
    SWITCHED_OFF = "switched_off"
    LIMIT = "limit"
    NO_RATE = "no_rate"
    TAX = "tax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One open reason; `until` is None where only an event ends it."""

    reason: HoldReason
    since: datetime
    until: datetime | None = None
    detail: tuple[str, ...] = ()
    """Reason codes beneath the reason, such as those of an assessment."""
