"""Links of quiet players: as those of a player who is routed alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from db import locks
from db.engine import Database
from referrals.fraud import clusters
from referrals.fraud.routing.quiet_players import route_quiet
from tests.builders import deposit, signup, unique
from tests.courier.quiet.steps import (
    BOUND_S,
    cluster_of,
    links_of,
    paid_from_a_new_device,
    quiet_ones,
    waiting,
)
from tests.courier.steps import (
    record_facts,
    route,
)


async def test_new_values_of_quiet_players_are_linked_as_those_of_one(database: Database) -> None:
    alone = [paid_from_a_new_device() for _ in range(3)]
    for paid in alone:
        await record_facts(database, paid, player_id=paid.player_id)
        await route(database, paid.player_id)
    together = [paid_from_a_new_device() for _ in range(3)]

    assert await quiet_ones(database, *together) == {paid.player_id for paid in together}

    assert await waiting(database, *(paid.player_id for paid in together)) == 0
    for one, other in zip(alone, together, strict=True):
        assert [replace(each, value="") for each in await links_of(database, one)] == [
            replace(each, value="") for each in await links_of(database, other)
        ]
        kinds = {each.kind: each for each in await links_of(database, other)}
        assert kinds["payment_instrument"].value == other.payment_instrument
        assert kinds["payment_instrument"].is_strong
        assert kinds["payment_instrument"].first_seen_at == other.occurred_at


async def test_a_device_is_as_strong_as_the_app_of_the_signup(database: Database) -> None:
    arrival = signup(platform="ios")
    await record_facts(database, arrival, player_id=arrival.player_id)
    await route(database, arrival.player_id)
    by_app = replace(paid_from_a_new_device(), player_id=arrival.player_id)
    by_browser = paid_from_a_new_device()

    assert len(await quiet_ones(database, by_app, by_browser)) == 2

    strong = {
        paid.player_id: {each.kind: each.is_strong for each in await links_of(database, paid)}
        for paid in (by_app, by_browser)
    }
    assert strong[by_app.player_id]["device_id"]
    assert not strong[by_browser.player_id]["device_id"]


async def test_a_card_is_linked_once_however_often_it_pays(database: Database) -> None:
    paid = deposit(payment_instrument=f"hm1:{unique('card')}")
    again = replace(
        paid,
        event_id=unique("deposit"),
        deposit_id=unique("d"),
        occurred_at=paid.occurred_at + timedelta(hours=1),
    )

    assert await quiet_ones(database, paid, again) == {paid.player_id}
    (card,) = await links_of(database, paid)
    assert (card.first_seen_at, card.last_seen_at) == (paid.occurred_at, again.occurred_at)

    later = deposit(
        paid.player_id,
        at=paid.occurred_at.replace(year=paid.occurred_at.year + 1),
        payment_instrument=paid.payment_instrument,
    )
    assert await quiet_ones(database, later) == {paid.player_id}
    (card,) = await links_of(database, paid)
    assert (card.first_seen_at, card.last_seen_at) == (paid.occurred_at, later.occurred_at)


async def test_whoever_a_card_joins_to_others_is_routed_alone(database: Database) -> None:
    card = f"hm1:{unique('card')}"
    owner = deposit(payment_instrument=card)
    assert await quiet_ones(database, owner) == {owner.player_id}
    sharer, stranger = deposit(payment_instrument=card), paid_from_a_new_device()

    assert await quiet_ones(database, sharer, stranger) == {stranger.player_id}

    assert await waiting(database, sharer.player_id) == 1
    assert await links_of(database, sharer) == []
    await route(database, sharer.player_id)
    assert await cluster_of(database, sharer) == await cluster_of(database, owner) is not None


async def test_players_who_bring_one_card_at_once_are_joined(database: Database) -> None:
    card = f"hm1:{unique('card')}"
    pair = [deposit(payment_instrument=card) for _ in range(2)]

    assert await quiet_ones(database, *pair) == set()

    for paid in pair:
        await route(database, paid.player_id)
    assert await cluster_of(database, pair[0]) == await cluster_of(database, pair[1]) is not None


async def test_of_two_couriers_with_one_new_card_one_leaves_its_player_alone(
    database: Database,
) -> None:
    card = f"hm1:{unique('card')}"
    first, second = [deposit(payment_instrument=card) for _ in range(2)]
    for paid in (first, second):
        await record_facts(database, paid, player_id=paid.player_id)

    async with asyncio.timeout(BOUND_S), database.transaction() as session:
        assert (await route_quiet(session, [first.player_id])).keys() == {first.player_id}
        async with database.transaction() as other:
            assert (await route_quiet(other, [second.player_id])).keys() == set()

    await route(database, second.player_id)
    assert await cluster_of(database, first) == await cluster_of(database, second) is not None


async def test_while_all_links_are_locked_only_new_values_wait(database: Database) -> None:
    known, new = paid_from_a_new_device(), paid_from_a_new_device()
    assert await quiet_ones(database, known) == {known.player_id}
    again = replace(known, event_id=unique("deposit"), deposit_id=unique("d"))

    async with asyncio.timeout(BOUND_S), database.transaction() as rebuilding:
        await locks.lock_key(rebuilding, clusters.LINKS_LOCK)
        assert await quiet_ones(database, again, new) == {known.player_id}

    assert await waiting(database, new.player_id) == 1
