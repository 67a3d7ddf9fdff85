"""Closing of the client: a bounded drain, and what is left handed back."""

import asyncio
import time
from dataclasses import replace

import pytest

from referrals_client import Client, Handover, Limits
from tests.client.client_harness import BRISK, SOON_S, CallbackLog, deposit, sign_up
from tests.client.stub_server import StubServer, running_stub_server


async def test_closing_delivers_what_is_queued(listener: StubServer) -> None:
    back = CallbackLog()
    async with back.client(listener.url, replace(BRISK, drain_s=60)) as client:
        for number in range(100):
            deposit(client, f"player-{number % 7}", f"deposit-{number}")
    assert len(listener.requests) == client.stats.accepted == 100
    assert back.dropped == []


async def test_closing_waits_no_longer_than_its_bound(listener: StubServer) -> None:
    back = CallbackLog()
    listener.mute()
    async with back.client(listener.url, Limits(drain_s=0.2, attempt_s=60)) as client:
        for number in range(3):
            deposit(client, "player", f"deposit-{number}")
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert back.dropped_ids == ["deposit-0", "deposit-1", "deposit-2"]
    assert {dropped.why for dropped in back.dropped} == {"closed"}
    assert client.stats.waiting == 0


async def test_cancelling_the_closing_hands_back_what_is_left(listener: StubServer) -> None:
    back = CallbackLog()
    listener.mute()
    client = back.client(listener.url, Limits(drain_s=60, attempt_s=60))
    client.start()
    sign_up(client, "player", "signup-1")
    await asyncio.wait_for(listener.arrived.wait(), SOON_S)

    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert back.dropped_ids == ["signup-1"]


async def test_after_closing_events_are_dropped(listener: StubServer) -> None:
    back = CallbackLog()
    async with back.client(listener.url) as client:
        pass
    assert sign_up(client, "player", "late-1") is Handover.DROPPED
    assert back.dropped_ids == ["late-1"]


async def test_closing_twice_and_without_a_start_is_harmless(listener: StubServer) -> None:
    back = CallbackLog()
    client = back.client(listener.url)
    sign_up(client, "player", "never-1")
    await client.aclose()
    await client.aclose()
    client.close_now()
    assert back.dropped_ids == ["never-1"]


def test_closing_needs_no_loop() -> None:
    back = CallbackLog()
    client = back.client("http://127.0.0.1:9")
    sign_up(client, "player", "signup-1")
    client.close_now()
    assert back.dropped_ids == ["signup-1"]
    assert sign_up(client, "player", "signup-2") is Handover.DROPPED


def test_an_event_loop_that_ends_without_closing_hands_back_what_is_left() -> None:
    back = CallbackLog()

    async def forget_to_close() -> Client:
        async with running_stub_server() as listener:
            client = back.client(listener.url)
            client.start()
            sign_up(client, "player", "delivered-1")
            assert await client.flushed(SOON_S)
            listener.mute()
            sign_up(client, "player", "left-1")
            return client

    client = asyncio.run(forget_to_close())
    assert back.dropped_ids == ["left-1"]
    assert sign_up(client, "player", "late-1") is Handover.DROPPED
    client.close_now()
    assert back.dropped_ids == ["left-1", "late-1"]


def test_a_loop_closed_under_the_client_raises_nothing() -> None:
    back = CallbackLog()
    loop = asyncio.new_event_loop()
    client = back.client("http://127.0.0.1:9")

    async def start() -> None:
        client.start()

    loop.run_until_complete(start())
    sign_up(client, "player", "signup-1")
    task = next(iter(asyncio.all_tasks(loop)))
    loop.call_soon(task.cancel)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    assert sign_up(client, "player", "signup-2") is Handover.DROPPED
    assert asyncio.run(closed(client))
    assert sorted(back.dropped_ids) == ["signup-1", "signup-2"]


async def closed(client: Client) -> bool:
    await client.aclose()
    return client.stats.waiting == 0


async def test_a_failing_body_still_closes_the_client(listener: StubServer) -> None:
    client = CallbackLog().client(listener.url, BRISK)
    with pytest.raises(LookupError):
        await fail_inside(client)
    assert client.stats.accepted == 1
    assert sign_up(client, "player") is Handover.DROPPED


async def fail_inside(client: Client) -> None:
    async with client:
        sign_up(client, "player")
        raise LookupError
