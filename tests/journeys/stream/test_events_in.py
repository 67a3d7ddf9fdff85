"""Events over Kafka: paid for like those over HTTP, and once however they came."""

import httpx
import pytest

from db.engine import Database
from messaging.kafka import KafkaCluster
from referrals.access.api_keys import create_key
from referrals.access.audit import Actor
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_invited_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import chargeback, deposit, unique_id
from stack import Connection
from tests.journeys.engineer import Engineer
from tests.journeys.stream.event_topics import EventProducer


@pytest.fixture
def topics(stack: Connection) -> EventProducer:
    return EventProducer(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))


async def test_pays_for_a_deposit_that_came_over_kafka_and_takes_it_back(
    sportsbook: SportsbookClient, topics: EventProducer
) -> None:
    pair = await create_invited_pair(sportsbook)
    paid = deposit(pair.referee_id)
    await topics.send(pair.signup(), paid)
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    await topics.send(chargeback(paid))
    await sportsbook.wait_for_stage(pair.referral_id, "REVERSED")


async def test_the_same_event_over_http_kafka_and_a_signal_counts_once(
    sportsbook: SportsbookClient, topics: EventProducer, engineer: Engineer
) -> None:
    pair = await create_invited_pair(sportsbook)
    arrival, paid = pair.signup(), deposit(pair.referee_id)
    await topics.send(arrival)
    await sportsbook.send(arrival)
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")
    await topics.send(paid, paid)
    await sportsbook.send(paid)
    await engineer.signal(pair.invitation.workflow_id, "make_deposit", dict(paid.body))
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    await topics.send(arrival, paid)
    await sportsbook.send(paid)

    facts = await sportsbook.facts(pair.referral_id)
    assert sorted(fact.kind for fact in facts) == ["deposit", "signup"]
    assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000
    assert (await engineer.wait_until_idle(pair.referral_id)).stages == [
        "INVITED", "SIGNED_UP", "REWARDED",
    ]  # fmt: skip


async def test_the_courier_tells_prometheus_how_far_it_is_behind(stack: Connection) -> None:
    async def metrics() -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(stack.courier_metrics_url)).text

    await wait_until(metrics, lambda text: "referrals_kafka_reachable 1.0" in text, what="metrics")
    assert "referrals_kafka_lag{" in await metrics()


async def test_events_of_a_named_source_pay_and_are_shown_by_their_own_ids(
    stack: Connection, sportsbook: SportsbookClient
) -> None:
    pair = await create_invited_pair(sportsbook)
    arrival = pair.signup(event_id=unique_id("signup").ljust(64, "x"))
    paid = deposit(pair.referee_id, event_id=unique_id("deposit").ljust(64, "x"))
    async with (
        Database.open(stack.settings().owner_database_url or "") as database,
        database.transaction() as session,
    ):
        key = await create_key(
            session,
            owner=unique_id("ledger"),
            scopes=["events:write"],
            source="a-long-source-x",
            actor=Actor(name="tests", request_id=None, reason="a test"),
        )
    ledger = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=ledger, trust_env=False) as client:
        for event in (arrival, paid):
            answer = await client.post(f"/v1/events/{event.resource}", json=dict(event.body))
            assert answer.json() == {"event_id": event.id, "status": "accepted"}
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    facts = await sportsbook.facts(pair.referral_id)
    assert {fact.event_id for fact in facts} == {arrival.id, paid.id}
    assert (await sportsbook.verify()).ok
