"""Types of events that a webhook can ask for."""

from collections.abc import Collection
from typing import Final

from domain.lifecycle.referral import EVENT_TYPES

ALL_EVENTS: Final = "*"
"""Asks for every event, those of later releases too; notifications are asked for by name."""
NOTIFICATION: Final = "Notification"
"""A message to a player: it has a topic of its own, and is not an event."""
WEBHOOK_DISABLED: Final = "WebhookDisabled"

EVENTS: Final = frozenset(
    {
        *EVENT_TYPES.values(),
        "BudgetAlert",
        "CodeClicked",
        "ReferralQualified",
        "RewardAdjusted",
        "RewardReinstated",
        "ShareRecorded",
        "TaxThresholdAlert",
        WEBHOOK_DISABLED,
    }
)
SUBSCRIBABLE: Final = frozenset({ALL_EVENTS, NOTIFICATION, *EVENTS})


def is_asked_for(type_: str, types: Collection[str]) -> bool:
    """Return whether a webhook of these types receives an event of this type."""
    return type_ in types or (ALL_EVENTS in types and type_ != NOTIFICATION)
