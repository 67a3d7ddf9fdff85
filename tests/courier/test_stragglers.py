"""A player whose transaction takes long: the others are routed meanwhile."""

import asyncio

from courier.router import Router
from db import locks
from db.engine import Database
from sandbox.sportsbook.polling import wait_until
from tests.builders import TOKENS, signup
from tests.courier.steps import a_shared_code, record_facts, referrals_of

BOUND_S = 60.0


async def record_signup(database: Database) -> str:
    arrival = signup(code=await a_shared_code(database))
    await record_facts(database, arrival, player_id=arrival.player_id)
    return arrival.player_id


async def route_until_bound(router: Router, database: Database, player_id: str) -> None:
    """Route until the player is bound; on a busy machine that takes more than one batch."""

    async def count() -> int:
        await router.route()
        return len(await referrals_of(database, player_id))

    await wait_until(count, lambda bound: bound == 1, what="a bound player", within_s=BOUND_S)


async def test_nobody_waits_for_a_player_who_cannot_be_routed(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS)
    slow, quick = await record_signup(fresh_database), await record_signup(fresh_database)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, slow)

        await route_until_bound(router, fresh_database, quick)
        await route_until_bound(router, fresh_database, await record_signup(fresh_database))
        assert not await referrals_of(fresh_database, slow)

    await route_until_bound(router, fresh_database, slow)


async def test_a_player_left_behind_is_not_begun_twice(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS)
    slow = await record_signup(fresh_database)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, slow)
        await router.route()
        await router.route()

    await route_until_bound(router, fresh_database, slow)
