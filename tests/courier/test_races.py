"""Races of couriers and of players, under real locks."""

import asyncio
from datetime import timedelta

from sqlalchemy import func, select

from courier.router import Router
from db.engine import Database
from db.tables import InboxRow
from domain.intake.facts import Signup
from domain.lifecycle.referral import Stage
from referrals.attribution import claims, locks
from referrals.attribution.claims import CodeClaim
from referrals.attribution.log import AttemptKind, AttemptResult, AttributionAttempt
from referrals.intake import unrouted
from tests.builders import NOW, TOKENS, deposit, signup, unique
from tests.courier.steps import (
    a_shared_code,
    deliveries_to,
    invite,
    invite_twice,
    logged_attempt,
    record_and_route,
    record_facts,
    referral,
    referrals_of,
    route,
)
from tests.fixtures.database_activity import wait_until_blocked

RACES = 200


async def test_two_couriers_racing_on_a_player_bind_and_deliver_once(database: Database) -> None:
    code = await a_shared_code(database)
    arrivals = [signup(code=code) for _ in range(RACES)]

    for arrival in arrivals:
        player = arrival.player_id
        await record_facts(database, arrival, deposit(player), player_id=player)
        await asyncio.gather(*(route(database, player) for _ in range(2)))

    for arrival in arrivals:
        (row,) = await referrals_of(database, arrival.player_id)
        kinds = sorted(delivery.kind for delivery in await deliveries_to(database, row))
        assert kinds == ["deposit", "signup"]


async def test_couriers_lease_different_players_and_lose_none(fresh_database: Database) -> None:
    code = await a_shared_code(fresh_database)
    arrivals = [signup(code=code) for _ in range(RACES)]
    for arrival in arrivals:
        player = arrival.player_id
        await record_facts(fresh_database, arrival, deposit(player), player_id=player)

    async with fresh_database.reading() as one, fresh_database.reading() as other:
        first = await unrouted.lease_players(one, limit=64)
        second = await unrouted.lease_players(other, limit=64)
    assert [one.player_id for one in first.players] == [each.player_id for each in arrivals[:32]]
    assert [one.player_id for one in second.players] == [each.player_id for each in arrivals[32:64]]

    await asyncio.gather(*(_route_everything(fresh_database) for _ in range(3)))

    for arrival in arrivals:
        (row,) = await referrals_of(fresh_database, arrival.player_id)
        assert len(await deliveries_to(fresh_database, row)) == 2
    async with fresh_database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(InboxRow)) == 0


async def test_a_fact_that_arrives_while_its_player_is_being_bound_is_delivered(
    database: Database,
) -> None:
    code = await a_shared_code(database)

    for _ in range(RACES // 4):
        arrival = signup(code=code)
        player = arrival.player_id
        await record_facts(database, arrival, player_id=player)
        await asyncio.gather(
            route(database, player), record_facts(database, deposit(player), player_id=player)
        )
        await route(database, player)
        (row,) = await referrals_of(database, player)
        assert len(await deliveries_to(database, row)) == 2


async def test_players_racing_with_one_token_get_a_referral_each(database: Database) -> None:
    for _ in range(RACES // 8):
        link = await invite(database)
        players = [signup(referral_token=link.token) for _ in range(4)]
        await _record_all(database, players)
        await asyncio.gather(*(route(database, player.player_id) for player in players))

        found = [await logged_attempt(database, player) for player in players]
        assert [entry.outcome for entry in found] == ["bound"] * 4
        assert len({entry.referral_id for entry in found}) == 4
        assert (await referral(database, link)).stage is Stage.SIGNED_UP


async def test_two_players_racing_with_the_links_of_one_visitor_do_not_wait_for_each_other(
    database: Database,
) -> None:
    for _ in range(RACES // 8):
        links = await invite_twice(database, unique("visitor"))
        players = [signup(referral_token=link.token) for link in links]
        await _record_all(database, players)
        await asyncio.gather(*(route(database, player.player_id) for player in players))

        stages = sorted([(await referral(database, link)).stage for link in links])
        assert stages == [Stage.LOST, Stage.SIGNED_UP]
        found = [await logged_attempt(database, player) for player in players]
        assert [entry.outcome for entry in found] == ["bound"] * 2


async def test_two_players_racing_with_the_same_two_tokens_do_not_wait_in_a_circle(
    database: Database,
) -> None:
    for _ in range(RACES // 8):
        one, other = await invite(database), await invite(database)
        players = [
            signup(referral_token=first.token, cookie_token=second.token)
            for first, second in ((one, other), (other, one))
        ]
        await _record_all(database, players)
        await asyncio.gather(*(route(database, player.player_id) for player in players))

        found = [await logged_attempt(database, player) for player in players]
        assert [entry.outcome for entry in found] == ["bound"] * 2


async def test_a_claim_locks_referrals_in_the_common_order(
    database: Database,
) -> None:
    """Lock in the common order; otherwise a claim and a signup with both links would deadlock."""
    links = await invite_twice(database, unique("visitor"))
    bound_to, link = sorted(links, key=lambda one: one.row.id)
    player = await _signed_up(database, signup(referral_token=link.token, code=bound_to.row.code))
    code = await a_shared_code(database)

    async with database.transaction() as other:
        await locks.lock_all_with_siblings(other, [bound_to.row.id])
        claim = asyncio.create_task(_claim(database, player, code))
        await wait_until_blocked(database, other)
        await locks.lock_all_with_siblings(other, [link.row.id])

    assert (await claim).outcome == "rebound"


async def _route_everything(database: Database) -> None:
    router = Router(database, tokens=TOKENS, clock=lambda: NOW)
    while await router.route():
        pass


async def _record_all(database: Database, players: list[Signup]) -> None:
    for player in players:
        await record_facts(database, player, player_id=player.player_id)
        async with database.reading() as session:
            waiting = select(func.count()).where(InboxRow.player_id == player.player_id)
            assert await session.scalar(waiting) == 1


async def _signed_up(database: Database, arrival: Signup) -> str:
    await record_and_route(database, arrival, player_id=arrival.player_id)
    return arrival.player_id


async def _claim(database: Database, player_id: str, code: str) -> AttemptResult:
    soon = NOW + timedelta(minutes=1)
    attempt = AttributionAttempt(
        attempt_id=unique("claim"), kind=AttemptKind.CLAIM, player_id=player_id
    )
    code_claim = CodeClaim(attempt=attempt, player_id=player_id, code=code, claimed_at=soon)
    async with database.transaction() as session:
        return await claims.apply_claim(session, code_claim, tokens=TOKENS, now=soon)
