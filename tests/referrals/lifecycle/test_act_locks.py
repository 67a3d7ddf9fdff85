"""Locks of an act: the players of a pair and its referral, taken by one statement."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import update

from db import locks
from db.engine import Database
from db.tables import ReferralRow
from domain.lifecycle.referral import Stage
from referrals.lifecycle.act_locks import lock_alone, lock_pair
from referrals.lifecycle.stages import lock_referral
from tests.builders import a_bound_referral, an_invitation
from tests.fixtures.database_activity import (
    assert_locked,
    recorded_statements,
    wait_until_blocked,
)

PLAYER = "select from players where player_id = :key"
REFERRAL = "select from referrals where id = cast(:key as uuid)"


async def test_the_pair_and_the_referral_are_locked_by_one_statement(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
        await locks.lock_players(session, row.referrer_id)
    with recorded_statements(database) as statements:
        async with database.transaction() as session:
            locked = await lock_pair(session, row.id)
            assert locked is not None
            assert locked.referral.stage is Stage.SIGNED_UP
            assert len(statements) == 1
            await assert_locked(database, PLAYER, row.referrer_id)
            await assert_locked(database, PLAYER, row.referee_id)
            await assert_locked(database, REFERRAL, str(row.id))


async def test_an_invitation_locks_its_referrer(database: Database) -> None:
    async with database.transaction() as session:
        row = await an_invitation(session)
        await locks.lock_players(session, row.referrer_id)
    async with database.transaction() as session:
        assert await lock_pair(session, row.id) is not None
        await assert_locked(database, PLAYER, row.referrer_id)


async def test_an_unknown_referral_is_none(database: Database) -> None:
    async with database.transaction() as session:
        assert await lock_pair(session, uuid4()) is None
        assert await lock_alone(session, uuid4()) is None


async def test_what_another_act_has_changed_meanwhile_is_seen(database: Database) -> None:
    async with database.transaction() as session:
        row = await a_bound_referral(session)
    later = row.until + timedelta(days=1)
    async with database.transaction() as second:
        async with database.transaction() as first:
            await lock_alone(first, row.id)
            await first.execute(
                update(ReferralRow).where(ReferralRow.id == row.id).values(until=later)
            )
            waiting = asyncio.create_task(lock_pair(second, row.id))
            await wait_until_blocked(database, first)
        locked = await waiting
        assert locked is not None
        assert locked.referral.until == later


async def test_no_referral_is_locked_before_a_player_whom_another_has_just_made(
    database: Database,
) -> None:
    async with database.transaction() as session:
        row = await an_invitation(session)
    async with database.transaction() as second:
        async with database.transaction() as first:
            await locks.lock_players(first, row.referrer_id)
            waiting = asyncio.create_task(lock_pair(second, row.id))
            await wait_until_blocked(database, first)
            # Whoever holds the player gets the referral, and waits for nobody.
            assert await lock_referral(first, row.id) is not None
        assert await waiting is not None
        await assert_locked(database, PLAYER, row.referrer_id)
