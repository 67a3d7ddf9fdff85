"""One person in every field of every door: kept nowhere, and erased with the rest."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import structlog
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from courier.route_player import route_player
from db.engine import Database
from db.tables import Table
from domain.privacy import PERSONAL_FIELDS, Hasher
from messaging.inbound.acceptance import accept
from messaging.inbound.decoding import Decoder
from messaging.records import Place, Record
from referrals.access.audit import Actor
from referrals.personal.erasure import erase
from runtime.settings import Settings
from sandbox.sportsbook.requests import usd
from tests.api.bodies import create_code, unique
from tests.builders import TOKENS
from tests.fixtures.api_client import browser
from tests.journeys.stream.event_topics import TOPICS
from tests.referrals.personal.seeded_doors import SeededPerson

SEEDS: Final = (
    "+44 7911 900141",
    "447911900141",
    "zofia.seedowska@seed.example",
    "Zofia Seedowska",
    "Seedowska",
)
CONTACTS: Final = SEEDS[0], SEEDS[2]
"""Seeds that are masked in reasons and refused as references."""
NEEDLES: Final = r"7911 ?900141|zofia|seedowska|seed\.example"


@dataclass(frozen=True, slots=True)
class Seeded:
    persons: tuple[SeededPerson, ...]
    references: list[int]
    """Statuses of the answers to references that are contacts."""
    logged: str
    metrics: str


@pytest.fixture(scope="module")
async def seeded(
    client: AsyncClient, app: FastAPI, database: Database, settings: Settings
) -> Seeded:
    """Bring each text through every door."""
    with structlog.testing.capture_logs() as logged:
        persons = [await bring(seed, client, app, database, settings) for seed in SEEDS]
        references = [status for seed in CONTACTS for status in await write_reasons(seed, client)]
    metrics = (await client.get("/metrics")).text
    return Seeded(tuple(persons), references, json.dumps(logged, default=str), metrics)


async def bring(
    seed: str, client: AsyncClient, app: FastAPI, database: Database, settings: Settings
) -> SeededPerson:
    code = await create_code(client)
    click = {"code": code, "visitor_id": unique("visitor"), "platform": "web"}
    token = (await client.post("/v1/clicks", json=click)).json()["referral_token"]
    person = SeededPerson(seed, unique("player"), token, code)
    events = person.events()
    for event in events:
        answer = await client.post(f"/v1/events/{event.resource}", json=dict(event.body))
        assert answer.status_code == 202, answer.text
    decoder = Decoder.of(settings)
    records = [record(event.resource, event.body) for event in (*events, *person.events()[2:])]
    await accept(database, decoder.decode_all(records))
    assert [one.text async for one in person.knock(client) if one.status_code >= 500] == []
    async with browser(app, f"Mozilla/5.0 {seed.encode('ascii', 'ignore').decode()}") as visitor:
        assert (await visitor.get(f"/r/{code}?email={seed}")).status_code < 500
    for player_id in {event.player_id for event in events}:
        async with database.transaction() as session:
            await route_player(session, player_id, tokens=TOKENS, now=datetime.now(UTC))
    return person


def record(resource: str, body: Any) -> Record:  # noqa: ANN401 - any JSON value
    place = Place(topic=TOPICS[resource], partition=0, offset=0)
    return Record(place=place, key=None, value=json.dumps(dict(body)).encode(), headers=())


async def write_reasons(seed: str, client: AsyncClient) -> list[int]:
    """Write a contact into reasons and references; return the statuses of the references."""
    path, reason = "/v1/campaigns/default/fund", f"told by {seed}, twice"
    funding = {"amount": usd(1), "reference": unique("fund"), "reason": reason}
    entry = {"kind": "email", "value": f"x{seed}", "reason": reason}
    for target, body in ((path, funding), ("/v1/lists/watch", entry)):
        answer = await client.post(target, json=body)
        assert answer.is_success, answer.text
    spend = {"amount": usd(1), "reference": seed}
    refused = [
        await client.post(path, json=funding | {"reference": seed}),
        await client.post("/v1/players/nobody/spend", json=spend),
        await client.post("/v1/players/nobody/unspend", json={"reference": seed}),
        await client.post("/v1/codes", json={"player_id": unique("p"), "vanity": "447911900141"}),
    ]
    return [answer.status_code for answer in refused]


async def rows_with(
    database: Database, pattern: str, *, or_one_of: Collection[str] = ()
) -> list[str]:
    """Return the rows of all tables whose text matches, or has one of texts, as a dump has them."""
    # Many texts in one pattern would take the regular expression seconds for each table.
    values = {"pattern": pattern, "texts": [f"%{one}%" for one in or_one_of]}
    found = []
    async with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            query = text(
                f"select '{table.name} ' || cast(t as text) from {table.name} t"  # noqa: S608
                " where cast(t as text) ~* :pattern"
                " or cast(t as text) like any(cast(:texts as text[])) limit 5"
            )
            found += [row[:400] for row in await session.scalars(query, values)]
    return found


async def test_the_database_keeps_no_persons_value(
    seeded: Seeded, owner_database: Database
) -> None:
    assert set(seeded.references) == {422}
    assert await rows_with(owner_database, NEEDLES) == []
    assert await rows_with(owner_database, r"told by \[(phone number|mail address)\], twice")


async def test_logs_and_metrics_have_no_persons_value(seeded: Seeded) -> None:
    assert '"event": "request"' in seeded.logged
    for written in (seeded.logged, seeded.metrics):
        assert re.findall(f".{{60}}(?:{NEEDLES})", written, re.IGNORECASE) == []


async def test_an_erasure_leaves_no_hash_of_a_persons_value(
    seeded: Seeded, owner_database: Database, settings: Settings
) -> None:
    hasher = Hasher(settings.hash_key.get_secret_value(), public_url=settings.public_url)
    fields = (
        *PERSONAL_FIELDS,
        "code",
        "payment_instrument",
        "jurisdiction",
        "method",
        "referral_token",
    )
    hashes = {hasher.hash(field, seed) for field in fields for seed in SEEDS}
    kept = await rows_with(owner_database, NEEDLES, or_one_of=hashes)
    assert any(row.startswith("facts ") for row in kept)
    async with owner_database.reading() as session:
        query = text("select distinct player_id from facts where cast(body as text) ~ :hashes")
        players = (await session.scalars(query, {"hashes": "|".join(sorted(hashes))})).all()
    assert {person.player_id for person in seeded.persons} <= set(players)

    actor = Actor(name="the.dpo", request_id=None, reason="the player asked for it")
    for player in sorted(players):
        async with owner_database.transaction() as session:
            assert await erase(session, player, actor)

    assert await rows_with(owner_database, NEEDLES, or_one_of=hashes) == []
