"""Names of the topics, in and out."""

from collections.abc import Mapping
from typing import Final

from db import outbox

SIGNUPS: Final = "signup.completed.v1"
DEPOSITS: Final = "payments.deposit-completed.v1"
CHARGEBACKS: Final = "payments.deposit-reversed.v1"
WAGERS: Final = "betting.bet-settled.v1"
WITHDRAWALS: Final = "payments.withdrawal-completed.v1"
STATUS_CHANGES: Final = "players.status-changed.v1"

INBOUND: Final = (SIGNUPS, DEPOSITS, CHARGEBACKS, WAGERS, WITHDRAWALS, STATUS_CHANGES)
"""Topics that other services write, keyed by `player_id`."""

EVENTS: Final = "referral.events.v1"
"""Events of referrals and rewards, keyed by `referral_id`."""
NOTIFICATIONS: Final = "referral.notifications.v1"
"""Messages for players, keyed by `player_id`."""

OUTBOUND: Final = (EVENTS, NOTIFICATIONS)

TOPIC_BY_AGGREGATE: Final[Mapping[str, str]] = {
    outbox.AGGREGATE: EVENTS,
    outbox.NOTIFICATIONS: NOTIFICATIONS,
}
"""Topic of an outbox row by its `aggregatetype`; deploy/connect/outbox.json says the same."""


def dead_letters_of(topic: str) -> str:
    """Return the topic that takes what cannot be read from `topic`."""
    return f"{topic}.dlq"
