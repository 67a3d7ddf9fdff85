"""Required and optional fields of each event, for type checkers."""

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from referrals_client.money import Money


class _EventFields(TypedDict):
    event_id: str
    """Your id, the same in every retry of the event; 1 to 64 of `A-Z a-z 0-9 _ . : -`."""
    player_id: str
    occurred_at: NotRequired[datetime]
    """With a time zone; left out, it is the time of the call."""


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
    accepted_terms: NotRequired[str | None]
    """The version of the offer's full terms that the person was shown and accepted."""
    consent: NotRequired[bool | None]
    """False drops traits of device and network; left out, they are kept."""


class DepositFields(_EventFields):
    """A settled deposit."""

    deposit_id: str
    amount: Money
    payment_instrument: NotRequired[str | None]
    method: NotRequired[str | None]
    ip: NotRequired[str | None]
    device_id: NotRequired[str | None]
    jurisdiction: NotRequired[str | None]
    consent: NotRequired[bool | None]


class ChargebackFields(_EventFields):
    """A refund or chargeback of a deposit, a refund that failed, or a chargeback that was won."""

    deposit_id: str
    kind: Literal["refund", "refund_failed", "chargeback", "chargeback_won"]
    amount: NotRequired[Money | None]
    """The amount of this event alone, never a running total; left out, the whole deposit."""
    dispute_id: NotRequired[str | None]
    """Events with the same one are one matter: the latest amount of each kind counts."""


class WagerFields(_EventFields):
    """A settled bet."""

    stake: Money


class WithdrawalFields(_EventFields):
    """A completed withdrawal."""

    withdrawal_id: str
    amount: Money
    payment_instrument: NotRequired[str | None]


class StatusFields(_EventFields):
    """A change of a player's status at the sportsbook."""

    status: Literal["verified", "self_excluded", "closed", "restored"]
