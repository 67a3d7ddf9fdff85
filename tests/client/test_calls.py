"""Calls of the client: a value within the deadline, and never an exception."""

import asyncio
import time
from datetime import datetime
from typing import Any

import pytest

from referrals_client import Client, FirstOpen, Limits, Ok, Outcome, Refused, Unavailable
from sandbox.sportsbook.requests import unique_id
from stack import ports
from tests.client.client_harness import SOON_S
from tests.client.stub_server import Reply, StubServer

QUICK = Limits(call_s=0.2)


async def test_a_players_code_is_the_same_each_time(real_client: Client) -> None:
    player_id = unique_id("player")
    first, second = await real_client.code_of(player_id), await real_client.code_of(player_id)
    assert isinstance(first, Ok)
    assert first == second
    assert first.value.link.endswith(f"/r/{first.value.code}")


async def test_a_stranger_has_an_empty_balance(real_client: Client) -> None:
    stranger = unique_id("player")
    seen = await real_client.balance(stranger)
    assert isinstance(seen, Ok)
    assert (seen.value.player_id, seen.value.available) == (stranger, ())


async def test_a_refusal_carries_the_services_code(real_client: Client) -> None:
    refused = await real_client.code_of(unique_id("player"), campaign="no-such-campaign")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status) == ("unknown_campaign", 404)


async def test_a_bad_field_is_named(real_client: Client) -> None:
    refused = await real_client.code_of("a b")
    assert isinstance(refused, Refused)
    assert refused.code == "validation_failed"
    assert refused.detail.startswith("player_id:")


async def every_call(url: str, limits: Limits | None = None) -> list[Outcome[Any]]:
    async with Client(url, "key", limits=limits) as client:
        return [
            await client.resolve(FirstOpen(platform="ios", device_model="iPhone17,1")),
            await client.confirm("token", confirmed=True),
            await client.claim("player", "CODE"),
            await client.code_of("player"),
            await client.balance("player"),
        ]


async def test_a_silent_service_is_unavailable_at_the_deadline(listener: StubServer) -> None:
    listener.mute()
    began = time.monotonic()
    outcomes = await every_call(listener.url, QUICK)
    took_s = time.monotonic() - began

    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 5
    assert 5 * QUICK.call_s <= took_s < 30


async def test_an_answer_that_trickles_in_is_abandoned_at_the_deadline(
    listener: StubServer,
) -> None:
    listener.always = Reply(200, {"code": "CODE"}, byte_s=QUICK.call_s / 4)
    began = time.monotonic()
    outcomes = await every_call(listener.url, QUICK)
    assert outcomes == [Unavailable("deadline")] * 5
    assert time.monotonic() - began < 30


async def test_a_refused_connection_is_unavailable() -> None:
    nobody = f"http://127.0.0.1:{ports.find_free()}"
    assert await every_call(nobody) == [Unavailable("ConnectError")] * 5


@pytest.mark.parametrize("url", ["", "not a url", "ftp://referrals.test", "http://[::1"])
async def test_a_bad_address_is_unavailable(url: str) -> None:
    outcomes = await every_call(url)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}


@pytest.mark.parametrize("body", [{}, {"code": 1}, {"confidence": "high"}])
async def test_an_answer_that_cannot_be_read_counts_as_none(
    listener: StubServer, body: dict[str, object]
) -> None:
    listener.always = Reply(200, body)
    outcomes = await every_call(listener.url)
    assert outcomes == [Unavailable("unreadable answer")] * 5


async def test_a_fault_of_the_service_is_unavailable_with_a_time_to_retry(
    listener: StubServer,
) -> None:
    listener.always = Reply(503, {"code": "unavailable"}, {"Retry-After": "7"})
    assert await every_call(listener.url) == [Unavailable("http 503", 7.0, "unavailable")] * 5


async def test_resolving_sends_a_first_open_and_reads_the_answer(listener: StubServer) -> None:
    listener.always = Reply(
        200,
        {
            "referral_token": "token",
            "code": "CODE",
            "method": "install_referrer",
            "confidence": 1.0,
            "guaranteed": True,
            "ask": None,
            "a_field_of_tomorrow": 1,
        },
    )
    seen = FirstOpen(platform="android", install_referrer="referral_token=x", locale=None)
    async with Client(listener.url, "key") as client:
        outcome = await client.resolve(seen)
    assert isinstance(outcome, Ok)
    assert (outcome.value.code, outcome.value.guaranteed, outcome.value.ask) == ("CODE", True, None)
    assert listener.requests[0].body == {
        "platform": "android",
        "install_referrer": "referral_token=x",
    }


async def test_unusable_input_is_refused_without_asking(listener: StubServer) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001 - the mistake that is meant
    async with Client(listener.url, "key") as client:
        assert isinstance(await client.claim("player", "CODE", occurred_at=naive), Refused)
        assert isinstance(await client.code_of(object()), Refused)  # type: ignore[arg-type]
        assert isinstance(await client.balance(None), Refused)  # type: ignore[arg-type]
        assert isinstance(await client.resolve(None), Refused)  # type: ignore[arg-type]
    assert listener.requests == []


async def test_cancelling_a_call_cancels_it(listener: StubServer) -> None:
    listener.mute()
    async with Client(listener.url, "key") as client:
        call = asyncio.create_task(client.balance("player"))
        await asyncio.wait_for(listener.arrived.wait(), SOON_S)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
