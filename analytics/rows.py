"""Rows of the warehouse, made of published events."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from analytics.warehouse import NOBODY

COUNTED: Final = frozenset(
    {
        "ShareRecorded", "CodeClicked", "ReferralInvited", "ReferralSignedUp", "ReferralQualified",
        "RewardGranted", "RewardReversed", "RewardReinstated",
    }
)  # fmt: skip
"""Events that reports count; the others, and those of later releases, are left out."""
SIGNS: Final = {"RewardGranted": 1, "RewardReinstated": 1, "RewardReversed": -1}


def row_of(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of an event, or None for one that no report counts.

    Raises KeyError, TypeError or ValueError for an event that is not one: a block that holds a
    value which ClickHouse cannot read would be refused whole.
    """
    type_ = event.get("type")
    if type_ not in COUNTED:
        return None
    return {
        "event_id": str(UUID(event["event_id"])),
        "type": type_,
        "at": _in_utc(event.get("met_at") or event["occurred_at"]),
        "campaign": str(event["campaign"]),
        "version": int(event.get("campaign_version") or 0),
        "referral_id": str(UUID(event.get("referral_id") or NOBODY)),
        "referrer_id": str(event.get("referrer_id") or ""),
        "cost": _cost(event) if type_ in SIGNS else [],
        "reinstated": type_ == "RewardReinstated",
    }


def _in_utc(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _cost(event: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return what an event adds to the cost: what it credited, less what it took back."""
    sign = SIGNS[event["type"]]
    return [
        (str(reward["amount"]["currency"]), sign * int(reward["amount"]["minor"]))
        for reward in event.get("rewards") or ()
        if reward["amount"]["minor"]
    ]
