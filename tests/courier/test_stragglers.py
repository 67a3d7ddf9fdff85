"""A player whose transaction takes long: the others are routed meanwhile."""

import asyncio

from courier.router import Router
from db import locks
from db.engine import Database
from tests.builders import TOKENS, signup
from tests.courier.steps import a_shared_code, record_facts, referrals_of

BOUND_S = 6.0
"""Below the time limit of the statement that waits for the lock."""


async def record_signup(database: Database) -> str:
    arrival = signup(code=await a_shared_code(database))
    await record_facts(database, arrival, player_id=arrival.player_id)
    return arrival.player_id


async def test_nobody_waits_for_a_player_who_cannot_be_routed(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS)
    slow, quick = await record_signup(fresh_database), await record_signup(fresh_database)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, slow)

        await router.route()
        assert len(await referrals_of(fresh_database, quick)) == 1

        late = await record_signup(fresh_database)
        await router.route()
        assert len(await referrals_of(fresh_database, late)) == 1
        assert not await referrals_of(fresh_database, slow)

    await router.finish()
    assert len(await referrals_of(fresh_database, slow)) == 1


async def test_a_player_left_behind_is_not_begun_twice(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS)
    slow = await record_signup(fresh_database)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, slow)
        assert await router.route()
        assert not await router.route()

    await router.finish()
    assert len(await referrals_of(fresh_database, slow)) == 1
