"""The fields of each event, for type checkers: what must be there, and what may be."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from referrals_client.money import Money


class _EventFields(TypedDict):
    event_id: str
    """Yours, and the same whenever you repeat the event; 1 to 64 of `A-Z a-z 0-9 _ . : -`."""
    player_id: str
    occurred_at: NotRequired[datetime]
    """With a time zone; the time of the call when left out."""


class SignupFields(_EventFields):
    """A player opened an account."""

    platform: str
    jurisdiction: str
    currency: str
    referral_token: NotRequired[str | None]
    cookie_token: NotRequired[str | None]
    code: NotRequired[str | None]
    locale: NotRequired[str | None]
    ip: NotRequired[str | None]
    user_agent: NotRequired[str | None]
    device_id: NotRequired[str | None]
    email: NotRequired[str | None]
    phone: NotRequired[str | None]
    kyc_subject: NotRequired[str | None]
    full_name: NotRequired[str | None]


class DepositFields(_EventFields):
    """A deposit was settled."""

    deposit_id: str
    amount: Money
    payment_instrument: NotRequired[str | None]
    method: NotRequired[str | None]
    ip: NotRequired[str | None]
    device_id: NotRequired[str | None]
    jurisdiction: NotRequired[str | None]


class ChargebackFields(_EventFields):
    """A deposit was taken back, in part or, without an amount, as a whole; or given back."""

    deposit_id: str
    kind: Literal["refund", "chargeback", "chargeback_won"]
    amount: NotRequired[Money | None]


class WagerFields(_EventFields):
    """A bet was settled."""

    stake: Money


class StatusFields(_EventFields):
    """A player's standing with the sportsbook changed."""

    status: Literal["verified", "self_excluded", "closed", "restored"]
