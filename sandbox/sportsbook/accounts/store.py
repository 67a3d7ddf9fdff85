"""Balances and transactions of the account service, in a database of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from sandbox.sportsbook.services.connections import Pool

DATABASE: Final = "account_service"
TABLES: Final = """
    CREATE TABLE IF NOT EXISTS accounts (
        player_id text NOT NULL,
        currency char(3) NOT NULL,
        minor bigint NOT NULL DEFAULT 0 CHECK (minor >= 0),
        PRIMARY KEY (player_id, currency));
    CREATE TABLE IF NOT EXISTS closed_players (
        player_id text NOT NULL,
        direction text NOT NULL,
        PRIMARY KEY (player_id, direction));
    CREATE TABLE IF NOT EXISTS transactions (
        reference text PRIMARY KEY,
        player_id text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('credit', 'debit')),
        asked_minor bigint NOT NULL,
        minor bigint NOT NULL,
        currency char(3) NOT NULL,
        kind text NOT NULL,
        reward_id text,
        posted_at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE INDEX IF NOT EXISTS ix_transactions_posted ON transactions (posted_at, reference);
"""
_LOCK_ACCOUNT: Final = """
    INSERT INTO accounts (player_id, currency) VALUES ($1, $2)
    ON CONFLICT (player_id, currency) DO UPDATE SET minor = accounts.minor
    RETURNING minor
"""
_INSERT: Final = """
    INSERT INTO transactions
        (reference, player_id, direction, asked_minor, minor, currency, kind, reward_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *
"""
_LIST: Final = """
    SELECT * FROM transactions
     WHERE posted_at >= $1 AND posted_at < $2 AND (posted_at, reference) > ($3, $4)
     ORDER BY posted_at, reference LIMIT $5
"""
_IS_CLOSED: Final = "SELECT FROM closed_players WHERE (player_id, direction) = ($1, $2)"
_CLOSE: Final = "INSERT INTO closed_players VALUES ($1, $2) ON CONFLICT DO NOTHING"
_ADD: Final = "UPDATE accounts SET minor = minor + $3 WHERE (player_id, currency) = ($1, $2)"


CASH: Final = "cash"


class ConflictError(Exception):
    """The reference was posted before, with other content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A request of a caller; the amount is in minor units."""

    reference: str
    player_id: str
    direction: str
    minor: int
    currency: str
    allow_partial: bool
    kind: str
    reward_id: str | None
    reward_kind: str = CASH

    @property
    def owner(self) -> str:
        """Name of the account: bonus bets are not in the one of the player's cash."""
        return owner_of(self.player_id, self.reward_kind)


def owner_of(player_id: str, reward_kind: str) -> str:
    return player_id if reward_kind == CASH else f"{player_id}/{reward_kind}"


@dataclass(frozen=True, slots=True)
class AccountStore:
    pool: Pool

    async def post(self, posting: Posting) -> asyncpg.Record | str:
        """Post once per reference; return the transaction, or why it is refused."""
        async with self.pool.acquire() as connection, connection.transaction():
            balance = await connection.fetchval(_LOCK_ACCOUNT, posting.owner, posting.currency)
            # Even for a reference that was posted: not every wallet looks at that first.
            if await connection.fetch(_IS_CLOSED, posting.player_id, posting.direction):
                return "account_closed"
            known = await connection.fetchrow(
                "SELECT * FROM transactions WHERE reference = $1", posting.reference
            )
            if known is not None:
                return _same(known, posting)
            minor = posting.minor
            if posting.direction == "debit":
                if minor > balance and not posting.allow_partial:
                    return "insufficient_funds"
                minor = min(minor, balance)
            sign = 1 if posting.direction == "credit" else -1
            await connection.execute(_ADD, posting.owner, posting.currency, sign * minor)
            inserted = await connection.fetchrow(
                _INSERT,
                posting.reference,
                posting.player_id,
                posting.direction,
                posting.minor,
                minor,
                posting.currency,
                posting.kind,
                posting.reward_id,
            )
            return _known(inserted)

    async def find(self, reference: str) -> asyncpg.Record | None:
        return await self.pool.fetchrow(
            "SELECT * FROM transactions WHERE reference = $1", reference
        )

    async def list_posted(
        self, since: datetime, until: datetime, *, after: tuple[datetime, str], limit: int
    ) -> Sequence[asyncpg.Record]:
        return await self.pool.fetch(_LIST, since, until, *after, limit)

    async def all_posted(self) -> Sequence[asyncpg.Record]:
        return await self.pool.fetch("SELECT * FROM transactions ORDER BY posted_at")

    async def balance(self, player_id: str, currency: str = "USD") -> int:
        query = "SELECT minor FROM accounts WHERE (player_id, currency) = ($1, $2)"
        return await self.pool.fetchval(query, player_id, currency) or 0

    async def bet(self, player_id: str, minor: int, currency: str = "USD") -> None:
        """Spend from a balance, as the sportsbook's games do; IntegrityError for too much."""
        await self.pool.execute(_ADD, player_id, currency, -minor)

    async def plant(self, player_id: str, *, reference: str, minor: int = 1000) -> None:
        """Credit a player though nobody asked for it."""
        await self.post(
            Posting(
                reference=reference,
                player_id=player_id,
                direction="credit",
                minor=minor,
                currency="USD",
                allow_partial=False,
                kind="reward",
                reward_id=None,
            )
        )

    async def close(self, player_id: str) -> None:
        """Refuse credits to a player from now on."""
        await self.pool.execute(_CLOSE, player_id, "credit")

    async def refuse_debits(self, player_id: str) -> None:
        await self.pool.execute(_CLOSE, player_id, "debit")

    async def reopen(self, player_id: str) -> None:
        await self.pool.execute("DELETE FROM closed_players WHERE player_id = $1", player_id)


def _known(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise RuntimeError("an insert returned no row")
    return row


def _same(known: asyncpg.Record, posting: Posting) -> asyncpg.Record:
    given = (posting.player_id, posting.direction, posting.minor, posting.currency)
    stored = (known["player_id"], known["direction"], known["asked_minor"], known["currency"])
    if given != stored:
        raise ConflictError(posting.reference)
    return known
