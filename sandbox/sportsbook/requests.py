"""Requests that a sportsbook's services send: events that can be repeated, and campaign drafts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Event:
    """The body of POST /v1/events/{resource}."""

    resource: str
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["event_id"])

    @property
    def player_id(self) -> str:
        return str(self.body["player_id"])


def signup(player_id: str, *, at: datetime | None = None, **fields: object) -> Event:
    """Return a signup event; `referral_token` or `code` among the fields name the referrer."""
    where = {"platform": "web", "jurisdiction": "US-NJ", "currency": "USD"}
    return _event("signups", "signup", player_id, at, {**where, **fields})


def deposit(
    player_id: str, *, minor: int = 2000, at: datetime | None = None, **fields: object
) -> Event:
    paid = {"deposit_id": unique_id("d"), "amount": usd(minor)}
    return _event("deposits", "deposit", player_id, at, {**paid, **fields})


def chargeback(
    deposit_event: Event,
    kind: str = "chargeback",
    *,
    at: datetime | None = None,
    minor: int | None = None,
    dispute_id: str | None = None,
) -> Event:
    """Return a take-back of a deposit, or its undoing, of the whole deposit or `minor` units."""
    fields: dict[str, object] = {"deposit_id": deposit_event.body["deposit_id"], "kind": kind}
    if minor is not None:
        fields["amount"] = usd(minor)
    if dispute_id is not None:
        fields["dispute_id"] = dispute_id
    return _event("chargebacks", kind, deposit_event.player_id, at, fields)


def status_change(player_id: str, status: str, *, at: datetime | None = None) -> Event:
    return _event("players", status, player_id, at, {"status": status})


def wager(player_id: str, *, minor: int, at: datetime | None = None) -> Event:
    """Return a settled stake in dollars."""
    return _event("wagers", "wager", player_id, at, {"stake": usd(minor)})


def campaign_draft(
    *,
    slug: str | None = None,
    name: str = "An offer of the sandbox",
    starts_at: datetime | None = None,
    ends_at: str | None = None,
    budget_minor: int = 1_000_000,
    opens: str = "destination",
    **terms: object,
) -> dict[str, Any]:
    """Return a draft that promises $10 for a first deposit of $10, unless `terms` say otherwise."""
    return {
        "link": {"opens": opens},
        "slug": slug or unique_id("offer"),
        "name": name,
        "starts_at": (starts_at or ago(days=365)).isoformat(),
        "ends_at": ends_at,
        "destination": "https://book.example/signup",
        "budget": usd(budget_minor),
        "terms": {
            "signup_window": "P30D",
            "deposit_window": "P30D",
            "minimum_deposit": usd(1000),
            "hold_period": "PT0S",
            "review_period": "P3D",
            "chargeback_window": "P120D",
            "lateness_grace": "PT1H",
            "referrer_reward": usd(1000),
            "referee_reward": None,
            **terms,
        },
    }


def unique_id(prefix: str) -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def mailbox_of(player_id: str) -> str:
    """Return a mail address that looks like nobody else's, as people's do."""
    return f"{_digest_of(player_id)[:16]}@mail.example"


def address_of(player_id: str) -> str:
    """Return an address in a network of the player's own, as in a home with a router."""
    digest = _digest_of(player_id)
    return f"2001:db8:{digest[:4]}:{digest[4:8]}::1"


def usd(minor: int) -> dict[str, Any]:
    return money(minor, "USD")


def money(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


def ago(**parts: float) -> datetime:
    return datetime.now(UTC) - timedelta(**parts)


def _digest_of(player_id: str) -> str:
    return hashlib.sha256(player_id.encode()).hexdigest()


def _event(
    resource: str, prefix: str, player_id: str, at: datetime | None, fields: Mapping[str, object]
) -> Event:
    occurred_at = (at or datetime.now(UTC)).isoformat()
    ids = {"event_id": unique_id(prefix), "player_id": player_id, "occurred_at": occurred_at}
    return Event(resource, {**ids, **fields})
