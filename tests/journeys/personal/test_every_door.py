"""A name, a mail address and a phone number in every text of every door: written nowhere.

Fields, parameters, headers, records and signals come from the code, so that one that is added later
is seeded as well.
"""

import asyncio
from typing import Final

import pytest
from temporalio.client import Client

from messaging.inbound.decoding import SCHEMAS
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.topic_reader import count_lag
from tests.journeys.engineer import Engineer
from tests.journeys.personal.doors import Doors
from tests.journeys.personal.erasure import erase
from tests.journeys.personal.places import Places, players_with
from tests.seeds.bodies import PUBLISHED, WRITTEN

READABLE: Final = {
    *(f"name in {place}" for place in PUBLISHED | WRITTEN),
    *(f"{kind} in {place}" for place in PUBLISHED for kind in ("mail", "phone")),
    "phone in CampaignIn.link.helplines.0.phone",
}
"""Texts of an offer, and words in reasons."""


@pytest.mark.timeout(480)
async def test_values_in_every_text_of_every_door_are_written_nowhere(
    sportsbook: SportsbookClient, engineer: Engineer, temporal: Client, places: Places
) -> None:
    doors = Doors(places.stack, sportsbook, engineer)
    await doors.requests()
    await doors.headers()
    await doors.records()
    await doors.signals()
    await doors.starts(temporal)
    await settle(doors, places)

    assert len(doors.planted.places) > 1000
    assert await written(doors, places) == {}

    known = doors.player_ids & set(await players_with(places.stack, "."))
    assert known
    for player_id in known:
        await erase(places.stack, player_id)
    assert await written(doors, places) == {}


async def settle(doors: Doors, places: Places) -> None:
    """Wait until every record is read and every workflow has acted."""
    servers, group = places.stack.kafka_bootstrap_servers, places.stack.settings()
    await wait_until(
        lambda: asyncio.to_thread(count_lag, servers, [*SCHEMAS], group=group.kafka_consumer_group),
        lambda lag: lag == 0,
        what="every record is read",
        within_s=60,
    )
    # Hundreds of signals to one workflow take a busy machine a while.
    await doors.sportsbook.wait_until_delivered(within_s=200)
    for workflow_id in doors.workflow_ids:
        await doors.engineer.wait_until_idle(workflow_id.removeprefix("referral:"))


async def written(doors: Doors, places: Places) -> dict[str, set[str]]:
    """Return the values that can be read, but those that are for people to read, by place."""
    texts = await places.written(doors.workflow_ids)
    found = {place: doors.planted.found_in(text) - READABLE for place, text in texts.items()}
    return {place: values for place, values in found.items() if values}
