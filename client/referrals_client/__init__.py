"""Client of the referral service that never blocks or fails its caller."""

from typing import Final

from referrals_client.answers import Balance, BonusBalance, Claimed, Confirmed, OwnCode, Resolved
from referrals_client.client import Client
from referrals_client.events import Event
from referrals_client.fields import (
    ChargebackFields,
    DepositFields,
    SignupFields,
    StatusFields,
    WagerFields,
    WithdrawalFields,
)
from referrals_client.first_open import FirstOpen
from referrals_client.handover import Dropped, DropReason, Handover, NotTaken, Stats
from referrals_client.limits import Limits
from referrals_client.money import Money
from referrals_client.outcomes import TOO_EARLY, Ok, Outcome, Refused, Unavailable
from referrals_client.wire import Wire

__all__ = [
    "TOO_EARLY",
    "Balance",
    "BonusBalance",
    "ChargebackFields",
    "Claimed",
    "Client",
    "Confirmed",
    "DepositFields",
    "DropReason",
    "Dropped",
    "Event",
    "FirstOpen",
    "Handover",
    "Limits",
    "Money",
    "NotTaken",
    "Ok",
    "Outcome",
    "OwnCode",
    "Refused",
    "Resolved",
    "SignupFields",
    "Stats",
    "StatusFields",
    "Unavailable",
    "WagerFields",
    "Wire",
    "WithdrawalFields",
]

__version__: Final = "0.1.0"
