"""A toy signup service: accounts in its own database, and events about them."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from outbox_writer import write_event
from referrals_client import Client, Money
from tests import ROOT

OUTBOX: Final = (ROOT / "docs" / "integration" / "outbox.sql").read_text()
ACCOUNTS: Final = "CREATE TABLE accounts (player_id text PRIMARY KEY)"
OPEN: Final = "INSERT INTO accounts VALUES ($1)"


@dataclass(frozen=True, slots=True)
class QueueSignupService:
    """A service that opens the account, then hands signup and first deposit to the client."""

    accounts: asyncpg.Pool
    client: Client

    async def sign_up(self, player_id: str) -> float:
        """Sign a player up and return the seconds that the player waited."""
        began = time.perf_counter()
        await self.accounts.execute(OPEN, player_id)
        signup: Any = signup_body(player_id)
        signup["occurred_at"] = datetime.now(UTC)
        self.client.signed_up(**signup)
        self.client.deposited(
            event_id=f"deposit:{player_id}",
            player_id=player_id,
            deposit_id=f"d:{player_id}",
            amount=Money(2000, "USD"),
        )
        return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class OutboxSignupService:
    """A service that writes the account and both events in one transaction."""

    accounts: asyncpg.Pool

    async def sign_up(self, player_id: str) -> float:
        began = time.perf_counter()
        async with self.accounts.acquire() as connection, connection.transaction():
            await connection.execute(OPEN, player_id)
            await write_event(connection, "signups", signup_body(player_id))
            await write_event(connection, "deposits", deposit_body(player_id))
        return time.perf_counter() - began


def signup_body(player_id: str) -> dict[str, Any]:
    return {
        "event_id": f"signup:{player_id}",
        "player_id": player_id,
        "occurred_at": datetime.now(UTC).isoformat(),
        "platform": "web",
        "jurisdiction": "US-NJ",
        "currency": "USD",
    }


def deposit_body(player_id: str) -> dict[str, Any]:
    return {
        "event_id": f"deposit:{player_id}",
        "player_id": player_id,
        "occurred_at": datetime.now(UTC).isoformat(),
        "deposit_id": f"d:{player_id}",
        "amount": {"minor": 2000, "currency": "USD"},
    }
