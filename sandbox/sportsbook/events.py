"""What a sportsbook's signup and payments services report, as values that can be sent again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Event:
    """One event and the door it goes to: POST /v1/events/{door}."""

    door: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["event_id"])

    @property
    def player_id(self) -> str:
        return str(self.body["player_id"])


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def ago(**parts: float) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


def signup(player_id: str, *, at: datetime | None = None, **fields: object) -> Event:
    """`referral_token` or `code` say who brought the player."""
    where = {"platform": "web", "jurisdiction": "US-NJ", "currency": "USD"}
    return _event("signups", "signup", player_id, at, {**where, **fields})


def deposit(
    player_id: str, *, minor: int = 2000, at: datetime | None = None, **fields: object
) -> Event:
    paid = {"deposit_id": unique("d"), "amount": usd(minor)}
    return _event("deposits", "deposit", player_id, at, {**paid, **fields})


def taken_back(
    of: Event, kind: str = "chargeback", *, at: datetime | None = None, minor: int | None = None
) -> Event:
    """The deposit `of` comes back: all of it, or `minor` units."""
    fields: dict[str, object] = {"deposit_id": of.body["deposit_id"], "kind": kind}
    if minor is not None:
        fields["amount"] = usd(minor)
    return _event("chargebacks", kind, of.player_id, at, fields)


def status_change(player_id: str, status: str, *, at: datetime | None = None) -> Event:
    return _event("players", status, player_id, at, {"status": status})


def _event(
    door: str, prefix: str, player_id: str, at: datetime | None, fields: Mapping[str, object]
) -> Event:
    happened_at = (at or datetime.now(UTC)).isoformat()
    ids = {"event_id": unique(prefix), "player_id": player_id, "occurred_at": happened_at}
    return Event(door, {**ids, **fields})
