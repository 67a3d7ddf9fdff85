"""Messages for players, over the topic: once, in their language, and nothing when excluded."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from messaging.kafka import KafkaCluster
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_deposited_pair, create_invited_pair
from sandbox.sportsbook.requests import campaign_draft, deposit, status_change
from stack import Connection
from tests.journeys.outbound.player_messages import PlayerMessages
from tests.journeys.stack_processes import kill_child, wait_for_restart
from tests.webhooks.receiver import Received, receiving

COPIES = 50
STORY = ("friend_signed_up", "reward_granted")
HALF_A_DAY = 12


@pytest.fixture
def messages(stack: Connection) -> Iterator[PlayerMessages]:
    reader = PlayerMessages(KafkaCluster(bootstrap_servers=stack.kafka_bootstrap_servers))
    yield reader
    reader.close()


@pytest.mark.timeout(300)
async def test_a_grant_is_told_once_after_fifty_copies_and_a_crash(
    sportsbook: SportsbookClient, messages: PlayerMessages, directory: Path
) -> None:
    pair = await create_invited_pair(sportsbook)
    await sportsbook.send(pair.signup())
    await messages.to(pair.referrer_id, "friend_signed_up")
    paid = deposit(pair.referee_id)
    copies = [asyncio.create_task(sportsbook.send(paid)) for _ in range(COPIES)]
    await copies[0]
    pid = kill_child(directory, "courier")
    await asyncio.gather(*copies)
    await wait_for_restart(directory, "courier", pid)
    await sportsbook.wait_for_stage(pair.referral_id, "REWARDED")
    await messages.to(pair.referrer_id, "reward_granted")
    # Another pair's message comes after all that there could be of this one.
    other, _ = await create_deposited_pair(sportsbook)
    await messages.to(other.referrer_id, "reward_granted")

    told = await messages.to(pair.referrer_id)
    kinds = {message["notification_id"]: message["kind"] for message in told}
    assert list(kinds.values()) == ["friend_signed_up", "reward_granted"]
    assert [message["amount"] for message in told] == [None, {"minor": 1000, "currency": "USD"}]
    assert pair.referee_id not in str(told)


async def test_a_player_reads_in_the_preferred_language(
    sportsbook: SportsbookClient, messages: PlayerMessages
) -> None:
    pair = await create_invited_pair(sportsbook)
    path = f"/v1/players/{pair.referrer_id}/preferences"
    answer = await sportsbook.call("PUT", path, {"locale": "ja", "time_zone": "Asia/Tokyo"})
    assert answer.status_code == 200
    await sportsbook.send(pair.signup())

    (message,) = await messages.to(pair.referrer_id, "friend_signed_up")
    assert (message["locale"], message["subject"]) == ("ja", "お友だちが登録しました")


async def test_a_webhook_of_the_type_receives_them_signed(
    sportsbook: SportsbookClient,
) -> None:
    async with receiving() as receiver:
        body = {"url": receiver.url, "types": ["Notification"]}
        created = (await sportsbook.call("POST", "/v1/webhooks", body)).raise_for_status().json()
        pair, _ = await create_deposited_pair(sportsbook)
        told: list[Received] = []
        while len(told) < len(STORY):
            await receiver.wait_for(len(receiver.received) + 1, within_s=30)
            told = [r for r in receiver.received if pair.referrer_id.encode() in r.body]
        await sportsbook.call("DELETE", f"/v1/webhooks/{created['webhook_id']}")

    for request, kind in zip(told, STORY, strict=True):
        request.verify(created["secret"])
        message = json.loads(request.body)
        assert (message["kind"], message["notification_id"]) == (kind, request.message_id)


async def test_quiet_hours_keep_a_message_until_they_are_over(
    sportsbook: SportsbookClient, messages: PlayerMessages
) -> None:
    pair = await create_invited_pair(sportsbook)
    path = f"/v1/players/{pair.referrer_id}/preferences"
    all_day = {"from": "00:00", "to": "23:59"}
    await sportsbook.call("PUT", path, {"time_zone": quiet_zone(), "quiet_hours": all_day})
    await sportsbook.send(pair.signup())
    other, _ = await create_deposited_pair(sportsbook)
    await messages.to(other.referrer_id, *STORY)
    assert await messages.to(pair.referrer_id) == []

    await sportsbook.call("PUT", path, {"quiet_hours": None})
    assert len(await messages.to(pair.referrer_id, "friend_signed_up")) == 1


def quiet_zone() -> str:
    """Return a zone in which the last minute of the day is hours away."""
    return "UTC" if datetime.now(UTC).hour < HALF_A_DAY else "America/Los_Angeles"


async def test_an_excluded_player_is_told_nothing_more(
    sportsbook: SportsbookClient, messages: PlayerMessages
) -> None:
    pair = await create_invited_pair(sportsbook)
    await sportsbook.send(pair.signup())
    await messages.to(pair.referrer_id, "friend_signed_up")
    await sportsbook.send(status_change(pair.referrer_id, "self_excluded"))
    await sportsbook.send(deposit(pair.referee_id))
    await sportsbook.wait_for_stage(pair.referral_id, "HELD")
    other, _ = await create_deposited_pair(sportsbook)
    await messages.to(other.referrer_id, "reward_granted")

    told = await messages.to(pair.referrer_id)
    assert [message["kind"] for message in told] == ["friend_signed_up"]


async def test_a_reminder_comes_at_its_time_and_once(
    sportsbook: SportsbookClient, messages: PlayerMessages
) -> None:
    draft = campaign_draft(
        signup_window="PT8S",
        lateness_grace="PT0S",
        reminders={"signup_after": "PT1S", "closing_before": "PT5S"},
    )
    pair = await create_invited_pair(sportsbook, await sportsbook.publish(draft))
    await sportsbook.wait_for_stage(pair.referral_id, "EXPIRED", within_s=40)

    told = await messages.to(pair.referrer_id, "window_closing")
    assert [message["kind"] for message in told] == ["signup_reminder", "window_closing"]
