"""A row that somebody else makes at the same moment is locked like any other."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import locks
from db.engine import Database
from domain.ledger.movements import Account, Book
from referrals.ledger.posting import lock_accounts
from tests.fixtures.database_activity import wait_until_blocked


async def test_a_player_whom_another_transaction_has_just_made_is_locked(
    database: Database,
) -> None:
    player_id = f"player-{uuid4()}"
    async with database.transaction() as second:
        async with database.transaction() as first:
            await locks.lock_players(first, player_id)
            waiting = asyncio.create_task(locks.lock_players(second, player_id))
            await wait_until_blocked(database, first)
        await waiting

        await _is_locked(database, "select from players where player_id = :key", player_id)


async def test_an_account_that_another_transaction_has_just_made_is_locked(
    database: Database,
) -> None:
    account = Account(book=Book.HELD, currency="USD", player_id=f"player-{uuid4()}")
    async with database.transaction() as second:
        async with database.transaction() as first:
            assert await lock_accounts(first, [account]) == {account: 0}
            waiting = asyncio.create_task(lock_accounts(second, [account]))
            await wait_until_blocked(database, first)
        assert await waiting == {account: 0}

        await _is_locked(database, "select from accounts where player_id = :key", account.player_id)


async def _is_locked(database: Database, query: str, key: str | None) -> None:
    async with database.transaction() as third:
        with pytest.raises(DBAPIError, match="could not obtain lock"):
            await third.execute(text(f"{query} for no key update nowait"), {"key": key})
        await third.rollback()
