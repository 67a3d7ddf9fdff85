"""The sportsbook's signup service: accounts of players, and the changes of their status."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sandbox.sportsbook.services.connections import Pool
from sandbox.sportsbook.services.outbox import EventType, OutboxEvent, write_event

DATABASE: Final = "signup_service"
TABLES: Final = """
    CREATE TABLE IF NOT EXISTS players (
        player_id text PRIMARY KEY,
        platform text NOT NULL,
        jurisdiction text NOT NULL,
        currency char(3) NOT NULL,
        email text UNIQUE,
        status text NOT NULL DEFAULT 'open',
        signed_up_at timestamptz NOT NULL,
        changes int NOT NULL DEFAULT 0);
"""
_INSERT: Final = """
    INSERT INTO players (player_id, platform, jurisdiction, currency, email, signed_up_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (player_id) DO NOTHING RETURNING player_id
"""
_CHANGE: Final = """
    UPDATE players SET status = $2, changes = changes + 1
    WHERE player_id = $1 AND status <> $2 RETURNING changes
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlayer:
    """The form that a player fills in; `referral_token` or `code` names who brought them."""

    player_id: str
    email: str | None = None
    referral_token: str | None = None
    code: str | None = None
    device_id: str | None = None
    ip: str | None = None
    platform: str = "web"
    jurisdiction: str = "US-NJ"
    currency: str = "USD"
    signed_up_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class SignupService:
    """Each act writes its row and its event in one transaction; a repeated one writes nothing."""

    pool: Pool

    async def sign_up(self, player: NewPlayer) -> bool:
        """Open an account; return False when the player had one."""
        row = (
            *(player.player_id, player.platform, player.jurisdiction, player.currency),
            *(player.email, player.signed_up_at),
        )
        async with self.pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_INSERT, *row) is None:
                return False
            await write_event(connection, _signup_event(player))
            return True

    async def change_status(self, player_id: str, status: str) -> bool:
        """Set `verified`, `self_excluded`, `closed` or `restored`; return whether it is new."""
        async with self.pool.acquire() as connection, connection.transaction():
            change = await connection.fetchval(_CHANGE, player_id, status)
            if change is None:
                return False
            event = OutboxEvent(
                type=EventType.PLAYER_STATUS_CHANGED,
                act=f"{player_id}:{change}",
                player_id=player_id,
                occurred_at=datetime.now(UTC),
                fields={"status": status},
            )
            await write_event(connection, event)
            return True


def _signup_event(player: NewPlayer) -> OutboxEvent:
    named = ("platform", "jurisdiction", "currency", "referral_token", "code", "device_id")
    fields = {name: getattr(player, name) for name in (*named, "email", "ip")}
    return OutboxEvent(
        type=EventType.SIGNUP_COMPLETED,
        act=player.player_id,
        player_id=player.player_id,
        occurred_at=player.signed_up_at,
        fields=fields,
    )
