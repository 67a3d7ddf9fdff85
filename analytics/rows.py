"""Rows of the warehouse, made of published events."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from analytics.warehouse import NOBODY

COUNTED: Final = frozenset(
    {
        "ShareRecorded", "CodeClicked", "ReferralInvited", "ReferralSignedUp", "ReferralQualified",
        "RewardGranted", "RewardReversed", "RewardReinstated", "RewardAdjusted",
    }
)  # fmt: skip
"""Events that reports count; the others, and those of later releases, are left out."""
UNREADABLE: Final = (
    ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
"""Faults of a record that is not an event."""
LARGEST_VERSION: Final = 2**32 - 1
LARGEST_AMOUNT: Final = 2**63 - 1
CANONICAL: Final = re.compile(
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
).fullmatch
TIME_LENGTH: Final = len("2026-03-01 12:00:00.000000")
SIGNS: Final = {
    "RewardGranted": 1, "RewardReinstated": 1, "RewardAdjusted": 1, "RewardReversed": -1,
}  # fmt: skip
"""Events that move money, with the sign of what they move."""


def row_of(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of an event, or None for one that no report counts.

    Raises one of UNREADABLE for an event that is not one: a block that holds a value which
    ClickHouse cannot read would be refused whole, and a number beyond its column be stored as
    another one.
    """
    type_ = event.get("type")
    if type_ not in COUNTED:
        return None
    return {
        "event_id": _id(event["event_id"]),
        "type": type_,
        "at": _in_utc(event.get("met_at") or event["occurred_at"]),
        "campaign": _text(event["campaign"]),
        "version": _whole(event.get("campaign_version") or 0, 0, LARGEST_VERSION),
        "referral_id": _id(event.get("referral_id") or NOBODY),
        "referrer_id": _text(event.get("referrer_id") or ""),
        "cost": _cost(event) if type_ in SIGNS else [],
        "variant": _text(event.get("variant") or ""),
    }


def _id(value: str) -> str:
    """Return an id as ClickHouse reads it; ids that are written so already are not parsed."""
    return value if CANONICAL(value) else str(UUID(value))


def _in_utc(time: str) -> str:
    at = datetime.fromisoformat(time)
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat(" ", "microseconds")[:TIME_LENGTH]


def _text(value: object) -> str:
    """Return a text; ValueError for half of a character, which is not UTF-8."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()
    return value


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError("not a whole number that its column can hold")
    return value


def _cost(event: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what an event adds to the cost: what it credited, less what it took back."""
    sign = SIGNS[event["type"]]
    is_adjusted = event["type"] == "RewardAdjusted"
    moved = [
        (_text(reward["amount"]["currency"]), sign * _moved_minor(reward, is_adjusted=is_adjusted))
        for reward in event.get("rewards") or ()
    ]
    return [(currency, minor) for currency, minor in moved if minor]


def _moved_minor(reward: Mapping[str, Any], *, is_adjusted: bool) -> int:
    """Return what moved of a reward: all of it, or the difference to what stood before."""
    minor = _whole(reward["amount"]["minor"], -LARGEST_AMOUNT, LARGEST_AMOUNT)
    if not is_adjusted:
        return minor
    return minor - _whole(reward["amount_before"]["minor"], 0, LARGEST_AMOUNT)
