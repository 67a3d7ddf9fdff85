"""The console's search: an event is found by its id as its reporter gave it, from any source."""

import pytest
from fastapi import FastAPI

from api.app import build_app
from db.engine import Database
from domain.intake.sources import stored_event_id
from referrals.access.audit import Actor
from referrals.access.console.roles import Role
from referrals.intake import facts
from runtime.settings import Settings
from tests.api.console.signed_in import signed_in
from tests.builders import deposit, unique
from tests.fixtures.keys import create_key

OF_A_KEY = "ledger"
OF_A_TOPIC = "wagers-eu"


@pytest.fixture
async def app_of_two_sources(settings: Settings, database: Database) -> FastAPI:
    async with database.transaction() as session:
        await create_key(
            session,
            owner=unique("ledger"),
            scopes=["deposits:write"],
            source=OF_A_KEY,
            actor=Actor(name="tests", request_id=None, reason="a test"),
        )
    sources = {"payments.deposit-completed.v1": OF_A_TOPIC}
    return build_app(settings.model_copy(update={"kafka_topic_sources": sources}), database)


@pytest.mark.parametrize("source", [OF_A_KEY, OF_A_TOPIC, "default"])
async def test_support_finds_an_event_of_any_source_by_its_reporters_id(
    app_of_two_sources: FastAPI, database: Database, source: str
) -> None:
    event_id = unique("src-ev")
    fact = deposit(event_id=stored_event_id(source, event_id))
    async with database.transaction() as session:
        await facts.record_fact(session, fact, player_id=fact.player_id, door="http")

    name = unique("Sue")
    async with signed_in(app_of_two_sources, database, role=Role.SUPPORT, name=name) as support:
        found = (await support.opens(f"/console/search?q={event_id}")).text
        by_stored_id = (await support.opens(f"/console/search?q={fact.event_id}")).text

    told = f"deposit {event_id} of {fact.player_id}"
    assert told in found
    assert told in by_stored_id
    assert (f", from {source}" in found) == (source != "default")
