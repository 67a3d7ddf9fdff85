"""Webhooks on a whole stack: from an event over HTTP to a receiver of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import create_deposited_pair
from stack import Connection
from tests.journeys.stack_processes import kill_child, wait_for_restart
from tests.webhooks.receiver import Received, Receiver, in_turn, receiving, status

HEARD_S: Final = 60.0
STORY: Final = ["ReferralInvited", "ReferralSignedUp", "ReferralQualified", "RewardGranted"]


async def test_a_receiver_hears_a_referrals_story_in_order_and_can_verify_it(
    stack: Connection, sportsbook: SportsbookClient
) -> None:
    async with receiving() as receiver, _api(stack) as api:
        secret = await _create(api, receiver, ["*"])
        pair, _ = await create_deposited_pair(sportsbook)
        heard = await _wait_for(receiver, _of(pair.referral_id, *STORY), len(STORY))
    for request in heard:
        request.verify(secret)
        assert request.message_id == _body(request)["event_id"]
    assert [_body(request)["type"] for request in heard] == STORY


async def test_a_failed_delivery_is_repeated_and_listed(
    stack: Connection, sportsbook: SportsbookClient
) -> None:
    answer = in_turn(status(500), status(302, Location="/elsewhere"), status(200))
    async with receiving(answer) as receiver, _api(stack) as api:
        created = (await api.post("/v1/webhooks", json=_wanted(receiver))).json()
        pair, _ = await create_deposited_pair(sportsbook)
        first, second, *_ = await _wait_for(receiver, _of(pair.referral_id), 2)
    assert first.message_id == second.message_id
    path = f"/v1/webhooks/{created['webhook_id']}/deliveries"
    async with _api(stack) as api:
        listed = (await api.get(path)).json()["items"]
        (item,) = [item for item in listed if item["event_id"] == first.message_id]
    assert item["type"] == "RewardGranted"
    assert item["attempts"] >= 2


@pytest.mark.timeout(300)
async def test_a_courier_that_is_killed_loses_no_delivery(
    stack: Connection, sportsbook: SportsbookClient, directory: Path
) -> None:
    async with receiving() as receiver, _api(stack) as api:
        await _create(api, receiver, ["RewardGranted"])
        pairs = []
        for number in range(12):
            pairs.append((await create_deposited_pair(sportsbook))[0])
            if number % 6 == 2:
                await wait_for_restart(directory, "courier", kill_child(directory, "courier"))
        for pair in pairs:
            await _wait_for(receiver, _of(pair.referral_id), 1)
    ids = {_body(r)["referral_id"]: set[str]() for r in receiver.received}
    for request in receiver.received:
        ids[_body(request)["referral_id"]].add(request.message_id)
    assert {len(copies) for copies in ids.values()} == {1}


def _api(stack: Connection) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    return httpx.AsyncClient(base_url=stack.api_url, headers=headers, trust_env=False)


def _wanted(receiver: Receiver) -> dict[str, Any]:
    return {"url": receiver.url, "types": ["RewardGranted"]}


async def _create(api: httpx.AsyncClient, receiver: Receiver, types: list[str]) -> str:
    answer = await api.post("/v1/webhooks", json={"url": receiver.url, "types": types})
    assert answer.status_code == 201, answer.text
    secret: str = answer.json()["secret"]
    return secret


async def _wait_for(
    receiver: Receiver, is_meant: Callable[[Received], bool], count: int
) -> list[Received]:
    while len(meant := [r for r in receiver.received if is_meant(r)]) < count:
        await receiver.wait_for(len(receiver.received) + 1, within_s=HEARD_S)
    return meant


def _of(referral_id: str, *types: str) -> Callable[[Received], bool]:
    """Return a filter of what is about a referral, of any type or of some types alone."""

    def is_meant(request: Received) -> bool:
        body = _body(request)
        return body.get("referral_id") == referral_id and (not types or body["type"] in types)

    return is_meant


def _body(request: Received) -> dict[str, Any]:
    body: dict[str, Any] = request.json()
    return body
