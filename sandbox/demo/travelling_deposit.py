"""The demo's story of one deposit, from the payments service to a consumer of RewardGranted."""

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from confluent_kafka import Message, Producer

from messaging.topics import DEPOSITS, EVENTS, INBOUND, dead_letters_of
from sandbox.demo.hops import hops_of, hops_table
from sandbox.demo.proofs import Proofs
from sandbox.demo.stories import Story
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import Event, unique_id
from sandbox.sportsbook.services.outbox import EventType, event_id
from sandbox.sportsbook.services.relay import producer_options
from sandbox.sportsbook.services.running import Services, run_services
from sandbox.sportsbook.services.signup import NewPlayer
from sandbox.sportsbook.topic_reader import count_lag, count_messages, find_message, header_of
from stack import Connection

DEAD_LETTERS: Final = tuple(map(dead_letters_of, INBOUND))
FLUSH_S: Final = 10.0
TRAVELLED_WITHIN_S: Final = 60.0


def travelling_story(connection: Connection) -> Story:
    return Story(
        "One deposit, from the payments service over Kafka to a consumer of RewardGranted",
        partial(travel_the_whole_way, connection),
    )


async def travel_the_whole_way(
    connection: Connection, sportsbook: SportsbookClient, proofs: Proofs
) -> None:
    """Follow a deposit through both outboxes and Kafka; report it over HTTP as well."""
    brokers = connection.kafka_bootstrap_servers or ""
    earlier = await asyncio.to_thread(count_messages, brokers, DEAD_LETTERS)
    async with run_services(connection.postgres_superuser_dsn, brokers) as services:
        pair = await _create_signed_up_pair(services, sportsbook)
        body = await _deposit(services, pair)
        granted = await asyncio.to_thread(
            find_message, brokers, EVENTS, partial(_tells_of, pair), within_s=TRAVELLED_WITHIN_S
        )
        hops = await hops_of(
            connection,
            event_id=body["event_id"],
            payments=services.payments.pool,
            granted=granted,
            referral_id=pair.referral_id,
        )
        proofs.console.print(hops_table(hops))
        copies = [await sportsbook.send(Event("deposits", body)) for _ in range(2)]
        await sportsbook.wait_until_delivered()
        await _prove_one_credit(sportsbook, proofs, pair, copies, granted)
    await _prove_dead_letters(connection, brokers, proofs, earlier=earlier)


async def _create_signed_up_pair(services: Services, sportsbook: SportsbookClient) -> Pair:
    """Invite a player over HTTP, who then signs up with the signup service."""
    pair = await create_invited_pair(sportsbook)
    token = pair.invitation.referral_token
    await services.signup.sign_up(NewPlayer(player_id=pair.referee_id, referral_token=token))
    await sportsbook.wait_for_stage(pair.referral_id, "SIGNED_UP")
    return pair


async def _deposit(services: Services, pair: Pair) -> dict[str, Any]:
    """Settle a deposit with the payments service; return the event in its outbox."""
    deposit_id = await services.payments.deposit(pair.referee_id)
    settled = event_id(EventType.DEPOSIT_COMPLETED, deposit_id)
    query = "SELECT payload FROM outbox WHERE id = $1"
    body: dict[str, Any] = json.loads(await services.payments.pool.fetchval(query, settled))
    return body


def _tells_of(pair: Pair, message: Message) -> bool:
    if message.key() != pair.referral_id.encode():
        return False
    return bool(_body_of(message)["type"] == "RewardGranted")


def _body_of(message: Message) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(message.value() or b"{}")
    return body


async def _prove_one_credit(
    sportsbook: SportsbookClient, proofs: Proofs, pair: Pair, copies: list[str], granted: Message
) -> None:
    referral = await sportsbook.referral(pair.referral_id)
    balance = await sportsbook.balance(pair.referrer_id)
    proofs.add("answers to the same deposit over HTTP", expected=["duplicate"] * 2, seen=copies)
    proofs.add("credited", expected="$10.00", seen=balance.dollars("available"))
    proofs.add(
        "rewards in RewardGranted",
        expected=[_shown(reward.model_dump()) for reward in referral.rewards],
        seen=[_shown(reward) for reward in _body_of(granted)["rewards"]],
    )


def _shown(reward: Mapping[str, Any]) -> str:
    amount = reward["amount"]
    return f"{reward['reward_id']} {amount['minor'] / 100:.2f} {amount['currency']}"


async def _prove_dead_letters(
    connection: Connection, brokers: str, proofs: Proofs, *, earlier: int
) -> None:
    """Prove that all was read and nothing refused, then that a poison message is kept apart.

    `earlier` dead letters were there before.
    """
    group = connection.settings().kafka_consumer_group
    lag = await wait_until(
        partial(asyncio.to_thread, count_lag, brokers, INBOUND, group=group),
        lambda unread: unread == 0,
        what="a lag of 0",
    )
    before = await asyncio.to_thread(count_messages, brokers, DEAD_LETTERS)
    poison = unique_id("poison")
    await asyncio.to_thread(_publish_poison, brokers, key=poison)
    letter = await asyncio.to_thread(
        find_message,
        brokers,
        dead_letters_of(DEPOSITS),
        lambda message: message.key() == poison.encode(),
    )
    proofs.add("messages not yet read from the sportsbook's topics", expected=0, seen=lag)
    proofs.add("new dead letters", expected=0, seen=before - earlier)
    proofs.add(
        "reason of the dead letter that a poison message becomes",
        expected="invalid_utf8",
        seen=header_of(letter, "reason"),
    )


def _publish_poison(bootstrap_servers: str, *, key: str) -> None:
    producer = Producer(producer_options(bootstrap_servers))
    producer.produce(DEPOSITS, key=key, value=b'{"event_id": "\xff\xfe')
    producer.flush(FLUSH_S)
