"""Links of a pair as they are read: what players share over all players, with bounded cost."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert

from courier.route_player import route_player
from db.engine import Database
from db.tables import IdentityLink, PlayerCluster
from domain.fraud.links import MAX_SHARERS, LinkKind, PairLinks
from domain.intake.facts import Deposit, Fact, Signup, kind_of
from domain.privacy import Hasher
from referrals.intake import facts
from referrals.intake.canonical import body_of
from referrals.intake.normalising import matching_of
from tests import builders
from tests.builders import NOW, TOKENS, a_player_id, deposit, signup, unique
from tests.referrals.fraud.pair_links import load_pair_links

HASHER = Hasher("a key for tests", public_url="https://refer.example")


async def record_links(
    database: Database,
    value: str,
    *player_ids: str,
    kind: LinkKind = LinkKind.PAYMENT_INSTRUMENT,
    at: datetime = NOW,
    is_strong: bool = True,
) -> None:
    rows = [
        {
            "kind": kind.value,
            "value": value,
            "player_id": player_id,
            "is_strong": is_strong,
            "first_seen_at": at,
            "last_seen_at": at,
        }
        for player_id in player_ids
    ]
    async with database.transaction() as session:
        await session.execute(insert(IdentityLink).values(rows))


async def record_routed(database: Database, reported: Signup | Deposit) -> None:
    """Record a fact whose personal values are as they were reported, and route it."""
    said = body_of(reported)
    fact = facts.fact_of(kind_of(reported), HASHER.hash_personal(said))
    async with database.transaction() as session:
        await facts.record_fact(
            session,
            fact,
            player_id=reported.player_id,
            door="http",
            matching=matching_of(said, HASHER),
        )
        await route_player(session, reported.player_id, tokens=TOKENS, now=NOW)


async def record_unrouted(database: Database, *reported: Fact, player_id: str) -> None:
    async with database.transaction() as session:
        for fact in reported:
            await facts.record_fact(session, fact, player_id=player_id, door="signal")


async def links_of(database: Database, referrer_id: str, referee_id: str) -> PairLinks:
    async with database.reading() as session:
        return await load_pair_links(session, referrer_id=referrer_id, referee_id=referee_id)


async def test_players_whose_signals_brought_empty_values_share_nothing(database: Database) -> None:
    referrer, referee = (signup(email="", phone="", device_id="", kyc_subject="") for _ in range(2))
    await record_routed(database, referrer)
    await record_unrouted(database, referee, player_id=referee.player_id)

    links = await links_of(database, referrer.player_id, referee.player_id)

    assert not [link for link in links.kinds if link.is_shared]


async def test_players_without_values_share_nothing_and_everything_is_unknown(
    database: Database,
) -> None:
    found = await links_of(database, a_player_id(), a_player_id())

    assert not any(one.referrer_known or one.referee_known for one in found.kinds)
    assert found.similar_name is None
    assert (found.referrer_cluster, found.referee_cluster) == (None, None)


async def test_a_value_is_shared_by_the_pair_and_by_others(database: Database) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("card")
    await record_links(database, value, referrer, referee, a_player_id(), a_player_id())

    card = (await links_of(database, referrer, referee)).of(LinkKind.PAYMENT_INSTRUMENT)

    assert (card.is_shared, card.is_hard, card.others) == (True, True, 2)


async def test_a_value_shared_with_strangers_alone_is_found(database: Database) -> None:
    referee, value = a_player_id(), unique("card")
    await record_links(database, value, referee, a_player_id())

    card = (await links_of(database, a_player_id(), referee)).of(LinkKind.PAYMENT_INSTRUMENT)

    assert (card.is_shared, card.others, card.hard_others) == (False, 1, 1)
    assert (card.referrer_known, card.referee_known) == (False, True)


async def test_a_flood_of_a_value_frees_nobody_whom_it_linked_before(database: Database) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("device")
    crowd = [a_player_id() for _ in range(MAX_SHARERS)]
    device, later = LinkKind.DEVICE_ID, NOW + timedelta(minutes=1)
    await record_links(database, value, referrer, referee, kind=device)

    await record_links(database, value, *crowd, kind=device, at=later)

    found = (await links_of(database, referrer, referee)).of(device)
    assert (found.is_hard, found.shared_by_too_many) == (True, True)


@pytest.mark.parametrize("is_referrer_early", [True, False])
async def test_who_comes_after_a_crowd_is_linked_to_nobody_and_it_says_so(
    database: Database, *, is_referrer_early: bool
) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("device")
    crowd = [a_player_id() for _ in range(MAX_SHARERS)]
    device, later = LinkKind.DEVICE_ID, NOW + timedelta(minutes=1)
    first, second = (
        ([referrer, *crowd], [referee]) if is_referrer_early else (crowd, [referrer, referee])
    )
    await record_links(database, value, *first, kind=device)
    await record_links(database, value, *second, kind=device, at=later)

    found = (await links_of(database, referrer, referee)).of(device)

    assert (found.is_shared, found.is_hard, found.others, found.hard_others) == (False, False, 0, 0)
    assert (found.shared_by_too_many, found.is_crowd_shared) == (True, True)


async def test_a_flood_in_browsers_takes_no_place_of_those_whom_a_device_links(
    database: Database,
) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("device")
    crowd = [a_player_id() for _ in range(MAX_SHARERS)]
    device, later = LinkKind.DEVICE_ID, NOW + timedelta(minutes=1)
    await record_links(database, value, *crowd, kind=device, is_strong=False)
    await record_links(database, value, referrer, referee, kind=device, at=later)

    assert (await links_of(database, referrer, referee)).of(device).is_hard


@pytest.mark.parametrize("kind", [LinkKind.EMAIL, LinkKind.DEVICE_ID, LinkKind.PAYMENT_INSTRUMENT])
async def test_dozens_of_other_values_push_no_shared_one_out(
    database: Database, kind: LinkKind
) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("shared")
    await record_links(database, value, referrer, referee, kind=kind)
    for place in range(60):
        at = NOW + timedelta(minutes=1 + place)
        await record_links(database, unique("other"), referee, kind=kind, at=at)

    assert (await links_of(database, referrer, referee)).of(kind).is_shared


async def test_facts_that_wait_for_the_router_count(database: Database) -> None:
    referrer, referee, card = a_player_id(), a_player_id(), unique("card")
    await record_links(database, card, a_player_id())
    for player in (referrer, referee):
        paid = deposit(player, payment_instrument=card)
        await record_unrouted(database, paid, player_id=player)

    found = (await links_of(database, referrer, referee)).of(LinkKind.PAYMENT_INSTRUMENT)

    assert (found.is_shared, found.is_hard, found.others) == (True, True, 1)


async def test_a_device_is_strong_for_an_app_and_soft_for_a_browser(database: Database) -> None:
    async def shared_on(platform: str) -> bool:
        referrer, referee, device = a_player_id(), a_player_id(), unique("device")
        for player in (referrer, referee):
            arrival = signup(player, platform=platform, device_id=device)
            await record_unrouted(database, arrival, player_id=player)
        found = (await links_of(database, referrer, referee)).of(LinkKind.DEVICE_ID)
        assert found.is_shared
        return found.is_hard

    assert [await shared_on(platform) for platform in ("ios", "android", "web")] == [
        True,
        True,
        False,
    ]


async def test_the_gap_between_uses_of_a_shared_network_is_known(database: Database) -> None:
    referrer, referee, value = a_player_id(), a_player_id(), unique("network")
    await record_links(database, value, referrer, kind=LinkKind.NETWORK)
    later = NOW + timedelta(hours=5)
    await record_links(database, value, referee, kind=LinkKind.NETWORK, at=later)

    assert (await links_of(database, referrer, referee)).of(LinkKind.NETWORK).gap_s == 5 * 3600


async def test_clusters_of_both_players_have_their_size_and_members(database: Database) -> None:
    referrer, referee, twin = a_player_id(), a_player_id(), a_player_id()
    cluster_id = uuid4()
    async with database.transaction() as session:
        rows = [{"player_id": player, "cluster_id": cluster_id} for player in (referee, twin)]
        await session.execute(insert(PlayerCluster).values(rows))

    found = await links_of(database, referrer, referee)

    assert found.referrer_cluster is None
    assert found.referee_cluster is not None
    assert found.referee_cluster.members == tuple(sorted((referee, twin)))
    assert (found.referee_cluster.size, found.same_cluster) == (2, False)


async def test_numbered_mailboxes_of_the_pair_or_of_two_referees_are_similar(
    database: Database,
) -> None:
    async def similar(*, of_referrer: str, of_sibling: str | None) -> bool | None:
        referrer = a_player_id()
        async with database.transaction() as session:
            sibling = await builders.a_bound_referral(session, referrer_id=referrer)
            mine = await builders.a_bound_referral(session, referrer_id=referrer)
        players = (referrer, str(sibling.referee_id), str(mine.referee_id))
        for player, mailbox in zip(players, (of_referrer, of_sibling, "lovfon2"), strict=True):
            if mailbox is not None:
                await record_mailbox(database, player, f"{mailbox}@mail.example")
        return (await links_of(database, referrer, players[2])).similar_mailbox

    assert await similar(of_referrer="lovfon1", of_sibling=None) is True
    assert await similar(of_referrer="kirhat", of_sibling="lovfon3") is True
    assert await similar(of_referrer="kirhat", of_sibling="jesmud") is False


async def record_mailbox(database: Database, player_id: str, mailbox: str) -> None:
    matching = matching_of({"email": mailbox}, HASHER)
    async with database.transaction() as session:
        await facts.record_fact(
            session, signup(player_id), player_id=player_id, door="signal", matching=matching
        )


async def test_players_with_the_same_placeholders_share_nothing(database: Database) -> None:
    pair = [
        signup(platform="ios", device_id="0000-0000", kyc_subject="n/a", phone="0000000")
        for _ in range(2)
    ]
    for arrived in pair:
        await record_routed(database, arrived)

    found = await links_of(database, *(arrived.player_id for arrived in pair))

    assert not any(one.referee_known for one in found.kinds)
    assert found.referee_cluster is None


@pytest.mark.parametrize("platforms", [("iOS", "ios"), ("Android", "ANDROID"), ("iPhone", "iPad")])
async def test_the_device_of_an_app_joins_players_however_the_platform_is_written(
    database: Database, platforms: tuple[str, str]
) -> None:
    device = unique("device")
    pair = [signup(platform=platform, device_id=device) for platform in platforms]
    for arrived in pair:
        await record_routed(database, arrived)

    found = await links_of(database, *(arrived.player_id for arrived in pair))

    assert found.of(LinkKind.DEVICE_ID).is_hard
    assert found.same_cluster


async def test_the_device_of_a_deposit_that_waits_for_the_router_is_as_strong_as_the_signups(
    database: Database,
) -> None:
    device = unique("device")
    referrer, referee = signup(platform="ios", device_id=device), signup(platform="ios")
    for arrived in (referrer, referee):
        await record_routed(database, arrived)
    paid = deposit(referee.player_id, device_id=HASHER.hash("device_id", device))
    await record_unrouted(database, paid, player_id=referee.player_id)

    found = await links_of(database, referrer.player_id, referee.player_id)

    assert found.of(LinkKind.DEVICE_ID).is_hard
