"""Clusters of players that hard links join, kept while facts are routed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from db.engine import Database
from db.tables import ClusterMerge, IdentityLink
from domain.fraud.links import MAX_SHARERS
from domain.intake.facts import Fact, Withdrawal
from referrals.fraud.clusters import cluster_of, parted
from tests.builders import NOW, a_player_id, deposit, signup, unique, usd
from tests.courier.steps import record_and_route, record_facts, route


async def clusters_of(database: Database, *player_ids: str) -> list[UUID | None]:
    async with database.reading() as session:
        return [await cluster_of(session, player_id) for player_id in player_ids]


async def are_together(database: Database, *player_ids: str) -> bool:
    found = await clusters_of(database, *player_ids)
    return None not in found and len(set(found)) == 1


async def pay(database: Database, card: str, *player_ids: str) -> None:
    for player_id in player_ids:
        paid = deposit(player_id, payment_instrument=card)
        await record_and_route(database, paid, player_id=player_id)


async def links_of(database: Database, player_id: str) -> Sequence[IdentityLink]:
    query = select(IdentityLink).where(IdentityLink.player_id == player_id)
    async with database.reading() as session:
        return (await session.scalars(query.order_by(IdentityLink.kind))).all()


@pytest.mark.parametrize(
    ("field", "platform", "joins"),
    [
        ("phone", "web", True),
        ("kyc_subject", "web", True),
        ("device_id", "ios", True),
        ("device_id", "android", True),
        ("device_id", "web", False),
        ("email", "ios", False),
        ("full_name", "ios", False),
        ("ip", "ios", False),
    ],
)
async def test_hard_links_join_players_who_were_never_referred(
    database: Database, field: str, platform: str, *, joins: bool
) -> None:
    one, other, value = a_player_id(), a_player_id(), unique("value")
    said: dict[str, Any] = {"platform": platform, field: value}
    for player in (one, other):
        arrival = signup(player, **said)
        await record_and_route(database, arrival, player_id=player)

    assert await are_together(database, one, other) is joins


async def test_a_deposits_device_is_as_strong_as_the_one_of_the_signup(database: Database) -> None:
    one, other, device = a_player_id(), a_player_id(), unique("device")
    for player in (one, other):
        paid = deposit(player, device_id=device)
        await record_and_route(database, signup(player, platform="ios"), player_id=player)
        await record_and_route(database, paid, player_id=player)

    assert await are_together(database, one, other)


async def test_who_pays_in_from_where_another_withdraws_to_is_joined_to_them(
    database: Database,
) -> None:
    one, other, account = a_player_id(), a_player_id(), unique("account")
    taken = Withdrawal(
        event_id=unique("withdrawal"),
        occurred_at=NOW,
        player_id=one,
        withdrawal_id=unique("w"),
        amount=usd(),
        payment_instrument=account,
    )
    await record_and_route(database, taken, player_id=one)
    await pay(database, account, other)

    assert await are_together(database, one, other)


async def test_players_are_joined_through_others(database: Database) -> None:
    first, second, third = (a_player_id() for _ in range(3))
    await pay(database, unique("card"), first, second)
    assert await are_together(database, first, second)
    assert not await are_together(database, second, third)

    await pay(database, unique("card"), second, third)

    assert await are_together(database, first, second, third)


async def test_two_clusters_become_one_and_the_smaller_one_moves(database: Database) -> None:
    large, small = [a_player_id() for _ in range(3)], [a_player_id() for _ in range(2)]
    await pay(database, unique("card"), *large)
    await pay(database, unique("card"), *small)
    (kept, *_) = await clusters_of(database, *large)

    await pay(database, unique("card"), large[0], small[0])

    assert set(await clusters_of(database, *large, *small)) == {kept}
    async with database.reading() as session:
        query = select(ClusterMerge).where(ClusterMerge.cluster_id == kept)
        merge = (await session.scalars(query.order_by(ClusterMerge.merged_at.desc()))).first()
    assert merge is not None
    assert sorted(small) == merge.moved


async def test_the_51st_player_of_a_value_joins_nobody_and_parts_nobody(database: Database) -> None:
    tablet = unique("tablet")
    players = [a_player_id() for _ in range(MAX_SHARERS + 2)]
    for place, player in enumerate(players):
        arrival = signup(
            player, platform="ios", device_id=tablet, at=NOW + timedelta(seconds=place)
        )
        await record_and_route(database, arrival, player_id=player)

    assert await are_together(database, *players[:MAX_SHARERS])
    assert await clusters_of(database, *players[MAX_SHARERS:]) == [None, None]


async def test_players_who_bring_one_value_at_the_same_time_are_joined(database: Database) -> None:
    card, players = unique("card"), [a_player_id() for _ in range(8)]
    for player in players:
        paid = deposit(player, payment_instrument=card)
        await record_facts(database, paid, player_id=player)

    await asyncio.gather(*(route(database, player) for player in players))

    assert await are_together(database, *players)


async def test_many_clusters_that_meet_at_the_same_time_become_one(database: Database) -> None:
    players = [a_player_id() for _ in range(8)]
    ring: list[tuple[str, Fact]] = []
    for one, other in zip(players, [*players[1:], players[0]], strict=True):
        card = unique("card")
        ring += [(player, deposit(player, payment_instrument=card)) for player in (one, other)]
    for player, paid in ring:
        await record_facts(database, paid, player_id=player)

    await asyncio.gather(*(route(database, player) for player in players))

    assert await are_together(database, *players)


async def test_a_value_seen_again_keeps_its_first_and_latest_time(database: Database) -> None:
    player, card, day = a_player_id(), unique("card"), timedelta(days=1)
    for at in (NOW, NOW + day, NOW - day):
        paid = deposit(player, payment_instrument=card, at=at)
        await record_and_route(database, paid, player_id=player)

    (link,) = await links_of(database, player)

    assert (link.first_seen_at, link.last_seen_at) == (NOW - day, NOW + day)


def test_the_largest_part_keeps_the_id_of_a_cluster() -> None:
    whole = uuid4()
    now = dict.fromkeys("abcdef", whole)

    changed = parted(now, [frozenset("abc"), frozenset("de")])

    assert changed.keys() == set("def")
    assert changed["d"] == changed["e"] != changed["f"]
