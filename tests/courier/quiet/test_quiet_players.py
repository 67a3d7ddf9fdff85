"""Quiet players: they are routed together, and whoever matters is routed one by one."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event

from courier.router import Router
from db import locks
from db.engine import Database
from domain.intake.facts import Withdrawal
from referrals.fraud.routing.quiet_players import route_quiet
from tests.builders import NOW, TOKENS, a_player_id, deposit, signup, status_change, unique, usd
from tests.courier.quiet.steps import (
    BOUND_S,
    OfPlayer,
    make_known,
    paid_from_a_new_device,
    quiet_ones,
    waiting,
)
from tests.courier.steps import (
    a_shared_code,
    bind_referral,
    deliveries_to,
    record_facts,
    referrals_of,
    route,
)


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
            await Router(fresh_database, tokens=TOKENS, patience_s=BOUND_S).route()
        # Recording wakes the courier beside the commit, some time.
        costs.append(len([each for each in statements if "pg_notify" not in each]))
        assert await waiting(fresh_database, *players) == 0

    assert costs[1] == costs[2]


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
async def test_facts_that_say_nothing_new_are_routed(database: Database, kind: str) -> None:
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


async def test_signups_and_statuses_are_never_routed_with_others(database: Database) -> None:
    assert await quiet_ones(database, signup(), status_change(a_player_id())) == set()


async def test_what_arrives_while_a_player_is_routed_waits_for_the_next_time(
    database: Database,
) -> None:
    paid, later = paid_from_a_new_device(), None
    await record_facts(database, paid, player_id=paid.player_id)
    async with database.transaction() as session:
        assert (await route_quiet(session, [paid.player_id])).keys() == {paid.player_id}
        later = replace(paid_from_a_new_device(), player_id=paid.player_id)
        await record_facts(database, later, player_id=paid.player_id)

    assert await waiting(database, paid.player_id) == 1
    assert [fact.event_id for fact in await route(database, paid.player_id)] == [later.event_id]


async def test_whoever_is_bound_meanwhile_is_told_of_the_deposit(database: Database) -> None:
    arrival = signup(code=await a_shared_code(database))
    early = deposit(arrival.player_id)
    await record_facts(database, early, arrival, player_id=arrival.player_id)
    await make_known(database, arrival.player_id)
    async with database.transaction() as binding:
        await locks.lock_players(binding, arrival.player_id)

        async with asyncio.timeout(BOUND_S), database.transaction() as session:
            assert (await route_quiet(session, [arrival.player_id])).keys() == set()

    await route(database, arrival.player_id)
    (row,) = await referrals_of(database, arrival.player_id)
    assert early.event_id in [each.event_id for each in await deliveries_to(database, row)]


async def test_two_couriers_route_the_same_players_once(database: Database) -> None:
    players = [a_player_id() for _ in range(8)]
    for player_id in players:
        await record_facts(database, deposit(player_id), player_id=player_id)

    async def route_together(given: list[str]) -> frozenset[str]:
        async with database.transaction() as session:
            return frozenset(await route_quiet(session, given))

    async with asyncio.timeout(BOUND_S):
        first, second = await asyncio.gather(route_together(players), route_together(players[::-1]))

    assert first | second == set(players)
    assert await waiting(database, *players) == 0
