"""One person's values in every field of every door: found nowhere, before and after the erasure."""

from typing import Any, Final

import pytest
from temporalio.api.enums.v1 import EventType

from domain.privacy import PERSONAL_FIELDS
from messaging.kafka import KafkaCluster
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.requests import chargeback, unique_id
from stack import Connection
from tests.fixtures import dumps
from tests.journeys.backups.restoring import superuser_url
from tests.journeys.engineer import Engineer
from tests.journeys.personal.erasure import erase
from tests.journeys.personal.places import Places, players_with, rows_with
from tests.journeys.stream.event_topics import EventProducer
from tests.referrals.personal.seeded_doors import SeededPerson

SEEDS: Final = ("+44 7911 900177", "ludmila@quux.example", "Ludmila Quuxowska")
NEEDLES: Final = r"7911 ?900177|ludmila|quux"
HASHED: Final = (
    *PERSONAL_FIELDS,
    "code",
    "payment_instrument",
    "jurisdiction",
    "method",
    "cookie_token",
)
SIGNALLED: Final = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


@pytest.mark.timeout(480)
async def test_a_seeded_person_is_found_nowhere_before_and_after_the_erasure(
    sportsbook: SportsbookClient, engineer: Engineer, places: Places
) -> None:
    persons = [await bring(seed, sportsbook, places.stack) for seed in SEEDS]
    workflows = [id_ for _, id_ in persons]
    for seed, (person, _) in zip(SEEDS, persons, strict=True):
        workflows.append(await signal(seed, person, sportsbook, engineer))
    for workflow_id in workflows:
        await engineer.wait_until_idle(workflow_id.removeprefix("referral:"))
    await sportsbook.wait_until_delivered()

    assert await places.find(NEEDLES, workflows) == {}

    for person, _ in persons:
        await erase(places.stack, person.player_id)
    assert await places.find(NEEDLES, workflows) == {}
    hasher = places.stack.settings().hasher
    hashes = {hasher.hash(field, seed) for field in HASHED for seed in SEEDS}
    strangers = await players_with(places.stack, "|".join(sorted(hashes)))
    for player_id in strangers:
        await erase(places.stack, player_id)
    dump = await dumps.dump(superuser_url(places.stack.postgres_superuser_dsn))
    # Visits that led to no player are nobody's: retention lets go of them.
    left = [row for row in rows_with(dump, hashes) if not row.startswith("public.touches: ")]
    assert left == []


async def bring(
    seed: str, sportsbook: SportsbookClient, stack: Connection
) -> tuple[SeededPerson, str]:
    """Bring a text through HTTP, Kafka and the open routes; return its player's workflow, too."""
    pair = await create_invited_pair(sportsbook)
    code = await sportsbook.code(pair.referrer_id)
    person = SeededPerson(seed, pair.referee_id, pair.invitation.referral_token, code)
    events = person.events()
    for event in events:
        await sportsbook.send(event)
    topics = EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
    await topics.send(*person.events(), chargeback(events[1]))
    assert [one.text async for one in person.knock(sportsbook.client) if one.is_server_error] == []
    return person, pair.invitation.workflow_id


async def signal(
    seed: str, person: SeededPerson, sportsbook: SportsbookClient, engineer: Engineer
) -> str:
    """Signal what is well-formed, misses a field or is no event, each full of a text."""
    pair = await create_invited_pair(sportsbook)
    await engineer.wait_until_started(pair.invitation.workflow_id)
    arrival: dict[str, Any] = {**person.events()[0].body, "player_id": pair.referee_id}
    arrival |= {"event_id": unique_id("signup"), "referral_token": pair.invitation.referral_token}
    without_id = {name: value for name, value in arrival.items() if name != "event_id"}
    for arguments in ([without_id], [{seed: seed}], [seed], [arrival, seed], [arrival]):
        await engineer.signal(pair.invitation.workflow_id, "sign_up", *arguments)
    for name in ("make_deposit", "charge_back", "decide", "supersede"):
        await engineer.signal(pair.invitation.workflow_id, name, {seed: seed, "event_id": seed})
    return pair.invitation.workflow_id
