"""Rebuilds: links of facts from before there were links, and clusters from all links."""

from datetime import timedelta

from sqlalchemy import delete, select

from courier.commands import linker
from db.engine import Database
from db.tables import ClusterMerge, InboxRow, PlayerCluster
from domain.fraud.links import MAX_SHARERS
from domain.intake.facts import Deposit, Signup
from referrals.fraud.clusters import cluster_of
from tests.builders import NOW, a_player_id, deposit, signup, unique
from tests.courier.steps import record_and_route, record_facts


async def route_unlinked(database: Database, *reported: Signup | Deposit) -> None:
    """Record facts that are routed already, as by a release that wrote no links."""
    for fact in reported:
        await record_facts(database, fact, player_id=fact.player_id)
    async with database.transaction() as session:
        await session.execute(delete(InboxRow))


async def test_facts_from_before_links_are_linked_and_join_their_players(
    fresh_database: Database,
) -> None:
    one, other, third = (a_player_id() for _ in range(3))
    card, device = unique("card"), unique("device")
    await route_unlinked(
        fresh_database,
        *(signup(player, platform="ios", device_id=device) for player in (one, other)),
        *(deposit(player, payment_instrument=card) for player in (other, third)),
    )

    assert await linker.write_all(fresh_database) > 0
    rebuilt = await linker.rebuild_all(fresh_database)

    assert (rebuilt.clusters, rebuilt.changed) == (1, 3)
    async with fresh_database.reading() as session:
        found = {await cluster_of(session, player) for player in (one, other, third)}
        merges = (await session.scalars(select(ClusterMerge))).all()
    assert len(found) == 1
    assert None not in found
    assert [merge.moved for merge in merges] == [sorted((one, other, third))]
    assert merges[0].kinds == ["device_id", "payment_instrument"]


async def test_a_second_run_changes_nothing(fresh_database: Database) -> None:
    card = unique("card")
    await route_unlinked(
        fresh_database, *(deposit(a_player_id(), payment_instrument=card) for _ in range(3))
    )
    await linker.write_all(fresh_database)
    await linker.rebuild_all(fresh_database)

    assert await linker.write_all(fresh_database) == 0
    assert (await linker.rebuild_all(fresh_database)).changed == 0


async def test_facts_that_wait_for_the_router_are_left_to_it(fresh_database: Database) -> None:
    waiting = deposit(a_player_id(), payment_instrument=unique("card"))
    await record_facts(fresh_database, waiting, player_id=waiting.player_id)

    assert await linker.write_all(fresh_database) == 0


async def test_what_the_router_joined_is_what_a_rebuild_finds(fresh_database: Database) -> None:
    cards = [unique("card") for _ in range(3)]
    players = [a_player_id() for _ in range(6)]
    for place, player in enumerate(players):
        for card in {cards[place % 3], cards[place // 3]}:
            paid = deposit(player, payment_instrument=card)
            await record_and_route(fresh_database, paid, player_id=player)

    assert await linker.write_all(fresh_database) == 0
    assert (await linker.rebuild_all(fresh_database)).changed == 0


async def test_lost_and_wrong_clusters_are_mended_and_a_wrong_one_is_no_merge(
    fresh_database: Database, fresh_superuser: Database
) -> None:
    card, alone = unique("card"), a_player_id()
    players = [a_player_id() for _ in range(3)]
    for player in players:
        paid = deposit(player, payment_instrument=card)
        await record_and_route(fresh_database, paid, player_id=player)
    async with fresh_superuser.transaction() as session:
        cluster_id = await cluster_of(session, players[0])
        await session.execute(delete(PlayerCluster).where(PlayerCluster.player_id == players[2]))
        session.add(PlayerCluster(player_id=alone, cluster_id=cluster_id))
        await session.execute(delete(ClusterMerge))

    assert (await linker.rebuild_all(fresh_database)).changed == 2

    async with fresh_database.reading() as session:
        assert {await cluster_of(session, player) for player in players} == {cluster_id}
        assert await cluster_of(session, alone) is None
        (merge,) = (await session.scalars(select(ClusterMerge))).all()
    assert merge.moved == [players[2]]


async def test_a_value_that_too_many_share_joins_the_first_who_had_it(
    fresh_database: Database,
) -> None:
    tablet = unique("tablet")
    players = [a_player_id() for _ in range(MAX_SHARERS + 2)]
    times = [NOW + timedelta(seconds=place) for place in range(len(players))]
    await route_unlinked(
        fresh_database,
        *(
            signup(player, platform="ios", device_id=tablet, at=at)
            for player, at in zip(players, times, strict=True)
        ),
    )
    assert await linker.write_all(fresh_database) >= len(players)

    assert (await linker.rebuild_all(fresh_database)).clusters == 1
    async with fresh_database.reading() as session:
        found = [await cluster_of(session, player) for player in players]
    assert len(set(found[:MAX_SHARERS])) == 1
    assert found[MAX_SHARERS:] == [None, None]


async def test_a_flood_is_the_same_to_the_router_and_to_a_rebuild(fresh_database: Database) -> None:
    tablet = unique("tablet")
    for place in range(MAX_SHARERS + 2):
        player, platform = a_player_id(), "web" if place % 9 == 0 else "ios"
        at = NOW + timedelta(seconds=place)
        arrival = signup(player, platform=platform, device_id=tablet, at=at)
        await record_and_route(fresh_database, arrival, player_id=player)

    assert (await linker.rebuild_all(fresh_database)).changed == 0
