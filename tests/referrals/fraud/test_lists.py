"""Hits of lists: which entries the recorded values of a referral's players are on."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from db.engine import Database, Session
from db.tables import IdentityLink
from domain.fraud.listed_values import keys_of, stored_value
from domain.fraud.lists import ListedKind, ListName, Role
from domain.privacy import Hasher
from referrals.access.audit import Actor
from referrals.fraud import list_views, lists
from referrals.fraud.lists import NewEntry
from referrals.intake import facts
from referrals.intake.normalising import matching_of
from tests import builders
from tests.builders import NOW, unique

HASHER = Hasher("a key for tests", public_url="https://refer.example")
ACTOR = Actor(name="ann", request_id=None, reason="a farm")


async def an_entry(
    session: Session,
    kind: ListedKind = ListedKind.PLAYER,
    text: str | None = None,
    *,
    on: ListName = ListName.DENY,
    days: int | None = None,
) -> NewEntry:
    value = stored_value(kind, text or unique("value"), HASHER)
    entry = NewEntry(
        list_name=on,
        kind=kind,
        value=value,
        keys=tuple(keys_of(kind, value, HASHER)),
        expires_at=None if days is None else NOW + timedelta(days=days),
    )
    await lists.add(session, entry, ACTOR)
    return entry


async def link(session: Session, player_id: str, kind: str, text: str) -> None:
    values = {"kind": kind, "value": HASHER.hash(kind, text), "player_id": player_id}
    seen = {"first_seen_at": NOW, "last_seen_at": NOW}
    await session.execute(insert(IdentityLink).values(values | seen))


async def test_a_listed_domain_is_hit_by_mailboxes_below_it(database: Database) -> None:
    domain = f"{unique('domain')}.example"
    arrived = builders.signup()
    matching = matching_of({"email": f"ann@7.a.{domain}"}, HASHER)
    async with database.transaction() as session:
        await facts.record_fact(
            session, arrived, player_id=arrived.player_id, door="http", matching=matching
        )
        await an_entry(session, ListedKind.EMAIL_DOMAIN, domain)

        hits = await hits_of(session, builders.a_player_id(), arrived.player_id)

    assert hits == [(ListName.DENY, ListedKind.EMAIL_DOMAIN, Role.REFEREE)]


async def hits_of(session: Session, referrer: str, referee: str) -> list[tuple[str, str, str]]:
    found = await lists.load_hits(session, referrer_id=referrer, referee_id=referee, at=NOW)
    return [(hit.list_name, hit.kind, hit.role) for hit in found.hits]


@pytest.mark.parametrize(
    ("kind", "listed", "link_kind", "text"),
    [
        (ListedKind.DEVICE_ID, "device", "device_id", "device"),
        (ListedKind.PAYMENT_INSTRUMENT, "card", "payment_instrument", "card"),
        (ListedKind.KYC_SUBJECT, "subject", "kyc_subject", "subject"),
        (ListedKind.NETWORK, "198.51.100.9", "ip", "198.51.100.9"),
        (ListedKind.NETWORK, "198.51.96.0/20", "network", "198.51.100.0/24"),
        (ListedKind.NETWORK, "2001:db8::/56", "network", "2001:db8:0:7::/64"),
    ],
)
async def test_a_value_of_either_player_hits_its_entry(
    database: Database, kind: ListedKind, listed: str, link_kind: str, text: str
) -> None:
    async with database.transaction() as session:
        referrer, referee, other = (builders.a_player_id() for _ in range(3))
        before = await hits_of(session, referrer, referee)
        await link(session, referee, link_kind, text)
        await link(session, referrer, link_kind, text)
        await an_entry(session, kind, listed)
        assert before == []
        assert await hits_of(session, referrer, referee) == [
            (ListName.DENY, kind, Role.REFEREE),
            (ListName.DENY, kind, Role.REFERRER),
        ]
        assert await hits_of(session, referrer, other) == [(ListName.DENY, kind, Role.REFERRER)]
        await session.rollback()


async def test_a_player_is_listed_by_id(database: Database) -> None:
    async with database.transaction() as session:
        referrer, referee = builders.a_player_id(), builders.a_player_id()
        await an_entry(session, text=referee, on=ListName.ALLOW)
        await an_entry(session, text=referrer, on=ListName.WATCH)
        found = await lists.load_hits(session, referrer_id=referrer, referee_id=referee, at=NOW)
        assert found.kinds_on(ListName.ALLOW) == ("player",)
        assert found.kinds_on(ListName.WATCH) == ("player",)
        assert found.kinds_on(ListName.DENY) == ()


async def test_an_entry_counts_until_it_expires_or_is_removed(database: Database) -> None:
    async with database.transaction() as session:
        player = builders.a_player_id()
        await an_entry(session, text=player, days=-1)
        assert await hits_of(session, player, "somebody-else") == []
        await an_entry(session, text=player, days=1, on=ListName.WATCH)
        (hit,) = (
            await lists.load_hits(session, referrer_id=player, referee_id="nobody", at=NOW)
        ).hits
        assert await lists.remove(session, ListName.WATCH, hit.entry_id, ACTOR)
        assert await hits_of(session, player, "somebody-else") == []


async def test_a_referral_counts_as_one_hit_however_often_it_is_scored(database: Database) -> None:
    async with database.transaction() as session:
        offer = await builders.an_offer(session)
        referral = await builders.a_bound_referral(session, offer)
        await an_entry(session, text=referral.referrer_id)
        found = await lists.load_hits(
            session, referrer_id=referral.referrer_id, referee_id="a-referee", at=NOW
        )
        for hours in (0, 1):
            await lists.record_hits(
                session, found, referral_id=referral.id, at=NOW + timedelta(hours=hours)
            )
        (hit,) = found.hits
        shown = await list_views.find_entry(session, hit.entry_id)
    assert shown is not None
    assert (shown.hits, shown.last_hit_at) == (1, NOW)
