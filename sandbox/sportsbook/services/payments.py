"""The sportsbook's payments service: cards, deposits, and what is taken back of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg

from sandbox.sportsbook.requests import money
from sandbox.sportsbook.services.connections import Connection, Pool
from sandbox.sportsbook.services.outbox import EventType, OutboxEvent, write_event

DATABASE: Final = "payments_service"
TABLES: Final = """
    CREATE TABLE IF NOT EXISTS cards (
        card_id text PRIMARY KEY,
        player_id text NOT NULL,
        fingerprint text NOT NULL,
        UNIQUE (player_id, fingerprint));
    CREATE TABLE IF NOT EXISTS deposits (
        deposit_id text PRIMARY KEY,
        player_id text NOT NULL,
        card_id text NOT NULL REFERENCES cards,
        minor bigint NOT NULL CHECK (minor > 0),
        currency char(3) NOT NULL,
        status text NOT NULL CHECK (status IN ('authorised', 'settled')),
        authorised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        settled_at timestamptz CHECK ((settled_at IS NULL) = (status = 'authorised')));
    CREATE TABLE IF NOT EXISTS refunds (
        refund_id text PRIMARY KEY,
        deposit_id text NOT NULL REFERENCES deposits,
        minor bigint NOT NULL CHECK (minor > 0),
        status text NOT NULL CHECK (status IN ('paid', 'failed')));
    CREATE TABLE IF NOT EXISTS chargebacks (
        dispute_id text PRIMARY KEY,
        deposit_id text NOT NULL UNIQUE REFERENCES deposits,
        minor bigint NOT NULL CHECK (minor > 0),
        status text NOT NULL CHECK (status IN ('lost', 'won')));
"""
_ADD_CARD: Final = """
    INSERT INTO cards (card_id, player_id, fingerprint) VALUES ($1, $2, $3)
    ON CONFLICT (player_id, fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
    RETURNING card_id
"""
_AUTHORISE: Final = """
    INSERT INTO deposits (deposit_id, player_id, card_id, minor, currency, status)
    SELECT $1, player_id, card_id, $3, $4, 'authorised' FROM cards WHERE card_id = $2
    RETURNING deposit_id
"""
_SETTLE: Final = """
    UPDATE deposits SET status = 'settled', settled_at = clock_timestamp()
    FROM cards WHERE cards.card_id = deposits.card_id
      AND deposit_id = $1 AND status = 'authorised'
    RETURNING deposits.*, fingerprint
"""
_LOCK_SETTLED: Final = """
    SELECT * FROM deposits WHERE deposit_id = $1 AND status = 'settled' FOR UPDATE
"""
_REFUND: Final = """
    INSERT INTO refunds (refund_id, deposit_id, minor, status)
    SELECT $1, $2, $3::bigint, 'paid' WHERE $3 <= $4::bigint - (
        SELECT coalesce(sum(minor), 0) FROM refunds WHERE deposit_id = $2 AND status = 'paid')
    ON CONFLICT (refund_id) DO NOTHING RETURNING minor
"""
_FAIL_REFUND: Final = """
    UPDATE refunds SET status = 'failed' WHERE refund_id = $1 AND status = 'paid'
    RETURNING deposit_id, minor
"""
_CHARGE_BACK: Final = """
    INSERT INTO chargebacks (dispute_id, deposit_id, minor, status) VALUES ($1, $2, $3, 'lost')
    ON CONFLICT (deposit_id) DO NOTHING RETURNING minor
"""
_WIN: Final = """
    UPDATE chargebacks SET status = 'won' WHERE dispute_id = $1 AND status = 'lost'
    RETURNING deposit_id, minor
"""


@dataclass(frozen=True, slots=True)
class PaymentsService:
    """Each act writes its row and its event in one transaction; a repeated one writes nothing.

    Amounts are whole minor units.
    """

    pool: Pool

    async def add_card(self, player_id: str, fingerprint: str | None = None) -> str:
        """Store a card, by the processor's fingerprint of it; return the card's id."""
        given = fingerprint or f"card-of-{player_id}"
        return str(await self.pool.fetchval(_ADD_CARD, f"card-{uuid4()}", player_id, given))

    async def authorise(self, card_id: str, minor: int, currency: str = "USD") -> str:
        """Start a deposit, which nobody is told of before it is settled; return its id."""
        deposit_id = f"deposit-{uuid4()}"
        known = await self.pool.fetchval(_AUTHORISE, deposit_id, card_id, minor, currency)
        if known is None:
            raise LookupError(f"no card {card_id}")
        return deposit_id

    async def settle(self, deposit_id: str) -> bool:
        """Settle an authorised deposit; return False when it was settled before."""
        async with self.pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(_SETTLE, deposit_id)
            if row is None:
                return False
            await write_event(connection, settlement_event(row))
            return True

    async def deposit(self, player_id: str, minor: int = 2000) -> str:
        """Authorise and settle a deposit by the player's own card; return its id."""
        deposit_id = await self.authorise(await self.add_card(player_id), minor)
        await self.settle(deposit_id)
        return deposit_id

    async def refund(self, deposit_id: str, minor: int, *, refund_id: str) -> bool:
        """Pay a part back; return False for a repetition, or for more than what is left."""
        async with self.pool.acquire() as connection, connection.transaction():
            paid = await _lock_settled(connection, deposit_id)
            refunded = await connection.fetchval(
                _REFUND, refund_id, deposit_id, minor, paid["minor"]
            )
            if refunded is None:
                return False
            await _write_reversal(connection, paid, "refund", minor=minor, dispute_id=refund_id)
            return True

    async def fail_refund(self, refund_id: str) -> bool:
        """Record that a refund came back; return False for a repetition."""
        return await self._undo(_FAIL_REFUND, refund_id, "refund_failed")

    async def charge_back(self, deposit_id: str) -> str:
        """Lose the whole deposit to a chargeback; return the dispute's id."""
        dispute_id = f"dispute-of-{deposit_id}"
        async with self.pool.acquire() as connection, connection.transaction():
            paid = await _lock_settled(connection, deposit_id)
            lost = await connection.fetchval(_CHARGE_BACK, dispute_id, deposit_id, paid["minor"])
            if lost is not None:
                await _write_reversal(
                    connection, paid, "chargeback", minor=lost, dispute_id=dispute_id
                )
            return dispute_id

    async def win(self, dispute_id: str) -> bool:
        """Win a dispute; return False for a repetition."""
        return await self._undo(_WIN, dispute_id, "chargeback_won")

    async def _undo(self, statement: str, dispute_id: str, kind: str) -> bool:
        async with self.pool.acquire() as connection, connection.transaction():
            undone = await connection.fetchrow(statement, dispute_id)
            if undone is None:
                return False
            paid = await _lock_settled(connection, undone["deposit_id"])
            await _write_reversal(
                connection, paid, kind, minor=undone["minor"], dispute_id=dispute_id
            )
            return True


def settlement_event(deposit: asyncpg.Record) -> OutboxEvent:
    return OutboxEvent(
        type=EventType.DEPOSIT_COMPLETED,
        act=deposit["deposit_id"],
        player_id=deposit["player_id"],
        occurred_at=deposit["settled_at"],
        fields={
            "deposit_id": deposit["deposit_id"],
            "amount": money(deposit["minor"], deposit["currency"]),
            "payment_instrument": deposit["fingerprint"],
            "method": "card",
        },
    )


async def _lock_settled(connection: Connection, deposit_id: str) -> asyncpg.Record:
    deposit = await connection.fetchrow(_LOCK_SETTLED, deposit_id)
    if deposit is None:
        raise LookupError(f"no settled deposit {deposit_id}")
    return deposit


async def _write_reversal(
    connection: Connection, deposit: asyncpg.Record, kind: str, *, minor: int, dispute_id: str
) -> None:
    event = OutboxEvent(
        type=EventType.DEPOSIT_REVERSED,
        act=f"{kind}:{dispute_id}",
        player_id=deposit["player_id"],
        occurred_at=datetime.now(UTC),
        fields={
            "deposit_id": deposit["deposit_id"],
            "kind": kind,
            "amount": money(minor, deposit["currency"]),
            "dispute_id": dispute_id,
        },
    )
    await write_event(connection, event)
