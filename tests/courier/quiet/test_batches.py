"""Batches of players: nobody in one waits for another."""

import asyncio
from dataclasses import replace

from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from courier.router import FACT_BATCH_SIZE, MAX_WAITING_PLAYERS, Router
from courier.work_loop import MAX_BACKOFF_S
from db import locks
from db.engine import STATEMENT_TIMEOUT_MS, Database
from db.tables import InboxRow
from sandbox.sportsbook.polling import wait_until
from tests.builders import TOKENS, a_player_id, deposit, signup, unique
from tests.courier.quiet.steps import (
    BOUND_S,
    make_known,
    paid_from_a_new_device,
    waiting,
)
from tests.courier.steps import (
    a_shared_code,
    record_facts,
    referrals_of,
)

SLOW_LINKS = (
    """create function be_slow() returns trigger language plpgsql as $$ begin
        while not pg_try_advisory_xact_lock_shared(7) loop perform pg_sleep(0.02); end loop;
        return new;
    end $$""",
    "create trigger be_slow before insert on identity_links execute function be_slow()",
)
"""Make links wait until the advisory lock 7 is free, without a wait for a lock."""


async def test_a_full_lease_tells_that_more_may_wait(fresh_database: Database) -> None:
    for _ in range(FACT_BATCH_SIZE + 1):
        paid = deposit()
        await record_facts(fresh_database, paid, player_id=paid.player_id)
    router = Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S)

    assert await router.route()
    assert not await router.route()
    async with fresh_database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(InboxRow)) == 0


async def until_routed(router: Router, database: Database, player_id: str) -> None:
    await wait_until(
        lambda: routed_once(router, database, player_id), bool, what=player_id, within_s=BOUND_S
    )


async def test_a_player_whom_another_transaction_adds_keeps_no_batch_waiting(
    fresh_database: Database,
) -> None:
    router = Router(fresh_database, tokens=TOKENS, patience_s=0.2)
    added, other = deposit(), deposit()
    for paid in (added, other):
        await record_facts(fresh_database, paid, player_id=paid.player_id)

    async with fresh_database.transaction() as session:
        await locks.lock_players(session, added.player_id)
        async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000 - 1):
            await until_routed(router, fresh_database, other.player_id)
        assert await waiting(fresh_database, added.player_id) == 1

    await router.finish()
    assert await waiting(fresh_database, added.player_id) == 0


async def test_quiet_players_who_take_long_are_left_behind(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    slow, other = paid_from_a_new_device(), paid_from_a_new_device()
    async with fresh_superuser.transaction() as session:
        for statement in SLOW_LINKS:
            await session.execute(text(statement))
    router = Router(fresh_database, tokens=TOKENS, patience_s=0.2)
    await record_facts(fresh_database, slow, player_id=slow.player_id)

    async with asyncio.timeout(BOUND_S), fresh_superuser.transaction() as session:
        await session.execute(text("select pg_advisory_xact_lock(7)"))
        async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000 - 1):
            await router.route()
        assert await waiting(fresh_database, slow.player_id) == 1
        await record_facts(fresh_database, deposit(other.player_id), player_id=other.player_id)
        await until_routed(router, fresh_database, other.player_id)
        assert await waiting(fresh_database, slow.player_id) == 1

    await router.finish()
    await until_routed(router, fresh_database, slow.player_id)


async def test_whoever_is_routed_with_others_begins_with_a_short_delay_again(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    paid = paid_from_a_new_device()
    clock = StoppedClock()
    router = Router(fresh_database, tokens=TOKENS, clock_s=clock, patience_s=BOUND_S)

    async def fail() -> list[int]:
        again = replace(paid, event_id=unique("deposit"), deposit_id=unique("d"))
        await record_facts(fresh_database, again, player_id=paid.player_id)
        await rename(fresh_superuser, "identity_links", "no_links")
        with capture_logs() as logs:
            await router.route()
        await rename(fresh_superuser, "no_links", "identity_links")
        return [line["failures"] for line in logs if line["event"] == "routing_failed"]

    assert await fail() == [1]
    clock.now_s += MAX_BACKOFF_S
    await router.route()
    assert await waiting(fresh_database, paid.player_id) == 0
    assert await fail() == [1]


async def test_locked_players_keep_nobody_else_from_being_routed(fresh_database: Database) -> None:
    router = Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S)
    busy = [a_player_id() for _ in range(12)]
    for player_id in busy:
        await record_facts(fresh_database, signup(player_id), player_id=player_id)
    arrival = signup(code=await a_shared_code(fresh_database))
    await record_facts(fresh_database, arrival, player_id=arrival.player_id)

    await make_known(fresh_database, *busy)
    async with asyncio.timeout(BOUND_S), fresh_database.transaction() as session:
        await locks.lock_players(session, *busy)

        await router.route()

        assert len(await referrals_of(fresh_database, arrival.player_id)) == 1
        assert await waiting(fresh_database, *busy) == len(busy)
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert (await session.execute(text(blocked))).scalar_one() <= MAX_WAITING_PLAYERS

    await router.finish()
    assert await waiting(fresh_database, *busy) == 0


class StoppedClock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def rename(database: Database, table: str, name: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"alter table {table} rename to {name}"))


async def routed_once(router: Router, database: Database, player_id: str) -> bool:
    """Route a batch, and return whether nothing waits of a player."""
    await router.route()
    return await waiting(database, player_id) == 0
