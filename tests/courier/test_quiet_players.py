"""Quiet players: their facts are dropped together, and whoever matters is routed as before."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select, text

from courier.router import MAX_WAITING_PLAYERS, Router
from db import locks
from db.engine import Database
from db.tables import IdentityLink, InboxRow
from domain.intake.facts import Deposit, Signup, StatusChange, Withdrawal
from referrals.fraud.routing.quiet_players import drop_quiet
from tests.builders import NOW, TOKENS, a_player_id, deposit, signup, status_change, unique, usd
from tests.courier.steps import (
    a_shared_code,
    bind_referral,
    deliveries_to,
    record_facts,
    referrals_of,
    route,
)

BOUND_S = 60.0
OfPlayer = Deposit | Signup | StatusChange | Withdrawal


async def waiting(database: Database, *player_ids: str) -> int:
    """Return how many facts of players are in the inbox."""
    query = select(func.count()).where(InboxRow.player_id.in_(player_ids))
    async with database.reading() as session:
        return (await session.execute(query)).scalar_one()


async def make_known(database: Database, *player_ids: str) -> None:
    """Give players their rows, as an earlier fact would."""
    async with database.transaction() as session:
        await locks.lock_players(session, *player_ids)


async def quiet_ones(database: Database, *reported: OfPlayer) -> frozenset[str]:
    """Record facts of players of their own, and drop those of quiet ones."""
    for fact in reported:
        await record_facts(database, fact, player_id=fact.player_id)
    async with database.transaction() as session:
        return await drop_quiet(session, [fact.player_id for fact in reported])


async def test_many_quiet_players_cost_as_many_statements_as_few(fresh_database: Database) -> None:
    statements: list[str] = []

    @event.listens_for(fresh_database.engine.sync_engine, "before_cursor_execute")
    def _count(*args: object) -> None:
        statements.append(str(args[2]))

    costs = []
    # The first round opens connections.
    for number in (5, 5, 60):
        players = [a_player_id() for _ in range(number)]
        for player_id in players:
            await record_facts(fresh_database, deposit(player_id), player_id=player_id)
        statements.clear()
        async with asyncio.timeout(BOUND_S):
            assert await Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S).route()
        # Recording wakes the courier beside the commit, some time.
        costs.append(len([each for each in statements if "pg_notify" not in each]))
        assert await waiting(fresh_database, *players) == 0

    assert costs[1] == costs[2]


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
async def test_facts_that_say_nothing_new_are_dropped(database: Database, kind: str) -> None:
    player_id = a_player_id()
    facts: dict[str, OfPlayer] = {
        "deposit": deposit(player_id),
        "withdrawal": Withdrawal(
            event_id=unique("withdrawal"),
            occurred_at=NOW,
            player_id=player_id,
            withdrawal_id=unique("w"),
            amount=usd(),
        ),
    }

    assert await quiet_ones(database, facts[kind]) == {player_id}
    assert await waiting(database, player_id) == 0
    assert await route(database, player_id) == ()


async def test_a_player_who_was_referred_or_refers_is_not_quiet(database: Database) -> None:
    row = await bind_referral(database)
    assert row.referee_id

    assert await quiet_ones(database, deposit(row.referee_id), deposit(row.referrer_id)) == set()
    assert await waiting(database, row.referee_id, row.referrer_id) == 2


async def test_signups_and_statuses_are_never_dropped(database: Database) -> None:
    assert await quiet_ones(database, signup(), status_change(a_player_id())) == set()


async def test_a_new_card_is_linked_and_a_known_one_says_nothing_new(database: Database) -> None:
    paid = deposit(payment_instrument=f"hm1:{unique('card')}")
    assert await quiet_ones(database, paid) == set()

    await route(database, paid.player_id)
    again = replace(paid, event_id=unique("deposit"), deposit_id=unique("d"))
    assert await quiet_ones(database, again) == {paid.player_id}
    assert await cards_of(database, paid) == [paid.payment_instrument]

    other = replace(again, event_id=unique("deposit"), payment_instrument=f"hm1:{unique('card')}")
    assert await quiet_ones(database, other) == set()


async def test_a_card_that_comes_back_later_is_seen_again(database: Database) -> None:
    paid = deposit(payment_instrument=f"hm1:{unique('card')}")
    await record_facts(database, paid, player_id=paid.player_id)
    await route(database, paid.player_id)
    later = deposit(
        paid.player_id,
        at=paid.occurred_at.replace(year=paid.occurred_at.year + 1),
        payment_instrument=paid.payment_instrument,
    )

    assert await quiet_ones(database, later) == set()


async def test_whoever_is_bound_meanwhile_is_told_of_the_deposit(database: Database) -> None:
    arrival = signup(code=await a_shared_code(database))
    early = deposit(arrival.player_id)
    await record_facts(database, early, arrival, player_id=arrival.player_id)
    await make_known(database, arrival.player_id)
    async with database.transaction() as binding:
        await locks.lock_players(binding, arrival.player_id)

        async with asyncio.timeout(BOUND_S), database.transaction() as session:
            assert await drop_quiet(session, [arrival.player_id]) == set()

    await route(database, arrival.player_id)
    (row,) = await referrals_of(database, arrival.player_id)
    assert early.event_id in [each.event_id for each in await deliveries_to(database, row)]


async def test_two_couriers_drop_the_same_players_once(database: Database) -> None:
    players = [a_player_id() for _ in range(8)]
    for player_id in players:
        await record_facts(database, deposit(player_id), player_id=player_id)

    async def drop(given: list[str]) -> frozenset[str]:
        async with database.transaction() as session:
            return await drop_quiet(session, given)

    async with asyncio.timeout(BOUND_S):
        first, second = await asyncio.gather(drop(players), drop(players[::-1]))

    assert first | second == set(players)
    assert await waiting(database, *players) == 0


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

        assert await router.route()

        assert len(await referrals_of(fresh_database, arrival.player_id)) == 1
        assert await waiting(fresh_database, *busy) == len(busy)
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert (await session.execute(text(blocked))).scalar_one() <= MAX_WAITING_PLAYERS

    await router.finish()
    assert await waiting(fresh_database, *busy) == 0


async def cards_of(database: Database, paid: Deposit) -> list[str]:
    query = select(IdentityLink.value).where(IdentityLink.player_id == paid.player_id)
    async with database.reading() as session:
        return list(await session.scalars(query))
