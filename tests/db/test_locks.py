"""Locks of rows that a concurrent transaction has just inserted."""

import asyncio
from uuid import uuid4

from db import locks
from db.engine import Database
from tests.fixtures.database_activity import assert_locked, race_for_locks, wait_until_blocked


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

        await assert_locked(database, "select from players where player_id = :key", player_id)


async def test_two_who_lock_a_player_whom_another_has_just_made_do_not_wait_in_a_circle(
    database: Database,
) -> None:
    key = uuid4()
    async with database.transaction() as session:
        await locks.lock_players(session, f"{key}-2")

    await race_for_locks(
        database,
        lambda session, players: locks.lock_players(session, *players),
        new=f"{key}-1",
        existing=f"{key}-2",
    )
