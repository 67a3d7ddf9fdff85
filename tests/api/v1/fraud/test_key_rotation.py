"""A new hash key: values of the earlier one are recognised, and re-keyed as they return."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from httpx import AsyncClient
from pydantic import SecretStr
from sqlalchemy import text

from api.app import build_app
from courier.route_player import route_player
from db.engine import Database
from domain.fraud.links import LinkKind, PairLinks
from domain.fraud.lists import ListHits
from referrals.fraud import lists
from runtime.settings import Settings
from tests.api.bodies import assert_problem, create_code, deposit, signup, unique
from tests.api.first_opens import follow_link, resolve, unique_ip
from tests.builders import NOW, TOKENS
from tests.fixtures.api_client import caller
from tests.referrals.fraud.pair_links import load_pair_links

SPELLED = {
    "email": "Ann.Lee+promo@gmail.com",
    "phone": "+1 201 555 0123",
    "full_name": "Ann Lovfon",
    "ip": "198.51.100.7",
    "user_agent": "an app",
}


@pytest.fixture(scope="module")
async def rotated(
    settings: Settings, database: Database, api_key: str
) -> AsyncIterator[AsyncClient]:
    """Call the API after a rotation, as the same caller."""
    keys = {
        "hash_key": SecretStr("the newest key for tests"),
        "hash_key_version": 2,
        "earlier_hash_keys": {1: settings.hash_key},
    }
    app = build_app(settings.model_copy(update=keys), database)
    async with caller(app, api_key) as client:
        yield client


async def report(client: AsyncClient, kind: str, body: dict[str, Any]) -> str:
    answer = await client.post(f"/v1/events/{kind}", json=body)
    assert answer.status_code in {200, 202}, answer.text
    status: str = answer.json()["status"]
    return status


async def routed(database: Database, player_id: str) -> None:
    async with database.transaction() as session:
        await route_player(session, player_id, tokens=TOKENS, now=NOW)


async def pays(database: Database, client: AsyncClient, card: str, **changes: object) -> str:
    """Report and route a deposit of a new player by a card; return the player."""
    body = deposit(payment_instrument=card, **changes)
    await report(client, "deposits", body)
    player_id: str = body["player_id"]
    await routed(database, player_id)
    return player_id


async def links(database: Database, referrer_id: str, referee_id: str) -> PairLinks:
    async with database.reading() as session:
        return await load_pair_links(session, referrer_id=referrer_id, referee_id=referee_id)


async def key_versions(database: Database, player_id: str) -> Sequence[str]:
    query = text("""
        select distinct split_part(value, ':', 1) from identity_links
        where player_id = :player_id order by 1
    """)
    async with database.reading() as session:
        return (await session.scalars(query, {"player_id": player_id})).all()


@pytest.mark.parametrize("code", ["not a code at all", "NOBODYHASIT"])
async def test_an_event_sent_again_after_a_rotation_is_a_duplicate(
    client: AsyncClient, rotated: AsyncClient, code: str
) -> None:
    body = signup(**SPELLED, device_id=unique("device"), locale="en", code=code)
    assert await report(client, "signups", body) == "accepted"

    assert await report(rotated, "signups", body) == "duplicate"
    assert await report(rotated, "signups", {**body, "phone": "00 1 (201) 555-0123"}) == "duplicate"


async def test_an_event_of_the_newest_key_is_a_duplicate_for_a_process_that_has_the_earlier_one(
    client: AsyncClient, rotated: AsyncClient
) -> None:
    body = signup(**SPELLED, device_id=unique("device"))
    assert await report(rotated, "signups", body) == "accepted"

    assert await report(client, "signups", body) == "duplicate"


async def test_other_content_conflicts_after_a_rotation_and_names_what_differs_alone(
    client: AsyncClient, rotated: AsyncClient
) -> None:
    body = signup(**SPELLED)
    await report(client, "signups", body)

    answer = await rotated.post("/v1/events/signups", json={**body, "email": "bob@mail.example"})

    assert_problem(answer, 409, "event_conflict", "email")
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]


async def test_a_card_links_players_across_a_rotation_before_and_after_it_is_routed(
    client: AsyncClient, rotated: AsyncClient, database: Database
) -> None:
    card = unique("card")
    before = await pays(database, client, card)
    body = deposit(payment_instrument=card)
    await report(rotated, "deposits", body)
    after: str = body["player_id"]
    assert (await links(database, before, after)).of(LinkKind.PAYMENT_INSTRUMENT).is_hard

    await routed(database, after)

    found = await links(database, before, after)
    assert found.of(LinkKind.PAYMENT_INSTRUMENT).is_hard
    assert found.same_cluster
    assert await key_versions(database, before) == ["hm1", "hm2"]
    assert await key_versions(database, after) == ["hm2"]


async def test_similar_names_and_mailboxes_are_found_across_a_rotation(
    client: AsyncClient, rotated: AsyncClient, database: Database
) -> None:
    one = signup(full_name="Ann Lovfon", email="lovfon1@mail.example")
    other = signup(full_name="Lovfon, Anna", email="lovfon2@mail.example")
    third = signup(full_name="Lovfon Ann", email="lovfon3@mail.example")
    await report(client, "signups", one)
    await report(rotated, "signups", other)
    await report(rotated, "signups", third)

    pair = await links(database, one["player_id"], other["player_id"])
    same = await links(database, one["player_id"], third["player_id"])

    assert pair.similar_mailbox is True
    assert same.similar_name is True


async def test_a_denied_card_stays_denied_for_who_brings_it_after_a_rotation(
    client: AsyncClient, rotated: AsyncClient, database: Database
) -> None:
    card = unique("card")
    entry = {"kind": "payment_instrument", "value": card, "reason": "a farm"}
    answer = await client.post("/v1/lists/deny", json=entry)
    listed = answer.json()["entry_id"]

    player = await pays(database, rotated, card)

    assert str((await hits(database, player)).hits[0].entry_id) == listed
    again = await rotated.post("/v1/lists/deny", json=entry)
    assert (again.status_code, again.json()["entry_id"]) == (200, listed)
    shown = await rotated.get(
        "/v1/lists/deny", params={"kind": "payment_instrument", "value": card}
    )
    assert [one["entry_id"] for one in shown.json()["items"]] == [listed]


async def test_a_card_denied_after_a_rotation_is_denied_for_who_brought_it_before(
    client: AsyncClient, rotated: AsyncClient, database: Database
) -> None:
    card = unique("card")
    player = await pays(database, client, card)

    entry = {"kind": "payment_instrument", "value": card, "reason": "a farm"}
    await rotated.post("/v1/lists/deny", json=entry)

    assert len((await hits(database, player)).hits) == 1


async def test_the_app_of_an_existing_player_is_known_after_a_rotation(
    client: AsyncClient, rotated: AsyncClient
) -> None:
    device, ip = unique("device"), unique_ip()
    await report(client, "signups", signup(platform="ios", device_id=device))
    token = await follow_link(rotated, await create_code(rotated), ip=ip)

    known = await resolve(rotated, clipboard_token=token, ip=ip, device_id=device)
    new = await resolve(rotated, clipboard_token=token, ip=ip, device_id=unique("device"))

    assert (known["referral_token"], new["referral_token"] is None) == (None, False)


async def hits(database: Database, player_id: str) -> ListHits:
    async with database.reading() as session:
        return await lists.load_hits(session, referrer_id="", referee_id=player_id, at=NOW)
