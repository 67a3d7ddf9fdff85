"""Handover of events: immediate, in order, repeated until accepted, and never an exception."""

import asyncio
import logging
import time
from typing import Any

import pytest

from referrals_client import Client, Dropped, Handover, Limits, Money, NotTaken
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import unique_id
from tests.client.client_harness import BRISK, SOON_S, CallbackLog, deposit, sign_up
from tests.client.stub_server import Reply, StubServer

AWAY = Reply(503, {"code": "unavailable"})


async def test_a_call_returns_at_once_while_the_service_does_not_answer(
    listener: StubServer,
) -> None:
    listener.mute()
    async with CallbackLog().client(listener.url, Limits(attempt_s=9, drain_s=0)) as client:
        sign_up(client, "first")
        await asyncio.wait_for(listener.arrived.wait(), SOON_S)

        began = time.perf_counter()
        answers = {sign_up(client, f"player-{number}") for number in range(1000)}
        took_s = time.perf_counter() - began

    assert answers == {Handover.QUEUED}
    assert took_s < Limits().attempt_s


async def test_an_event_is_repeated_until_it_is_taken(listener: StubServer) -> None:
    back = CallbackLog()
    listener.script += [AWAY, Reply(None), Reply(500), Reply(429), Reply(502), Reply(302)]
    async with back.client(listener.url) as client:
        sign_up(client, "player", "signup-1")
        assert await client.flushed(SOON_S)

        assert listener.event_ids == ["signup-1"] * 7
        assert (client.stats.accepted, client.stats.failed_attempts) == (1, 6)
        assert not client.stats.is_away
    assert (back.dropped, back.refused) == ([], [])


async def test_a_request_without_an_answer_times_out_and_is_retried(listener: StubServer) -> None:
    listener.mute()
    limits = Limits(attempt_s=0.1, first_pause_s=0.01)
    async with CallbackLog().client(listener.url, limits) as client:
        sign_up(client, "player")
        await wait_until(
            request_count_of(listener), lambda count: count >= 2, what="a second attempt"
        )
        listener.unmuted.set()
        assert await client.flushed(SOON_S)
        assert client.stats.accepted == 1


async def test_waits_as_long_as_the_service_asks_for(listener: StubServer) -> None:
    listener.script.append(Reply(429, {}, {"Retry-After": "1"}))
    async with CallbackLog().client(listener.url) as client:
        sign_up(client, "player")
        assert await client.flushed(SOON_S)
    first, second = listener.requests
    assert second.at_s - first.at_s >= 1


async def test_events_of_a_player_arrive_in_their_order_whatever_fails(
    listener: StubServer,
) -> None:
    listener.script += [Reply(), AWAY, Reply(None), Reply(), AWAY, AWAY, Reply(), Reply(None)]
    handovers = [f"event-{number}" for number in range(20)]
    async with CallbackLog().client(listener.url) as client:
        for event_id in handovers:
            deposit(client, "player", event_id)
        assert await client.flushed(SOON_S)
    assert list(dict.fromkeys(listener.event_ids)) == handovers


async def test_nobody_waits_for_another_players_event(listener: StubServer) -> None:
    listener.replies_by_player["unlucky"] = Reply(500)
    async with CallbackLog().client(listener.url) as client:
        sign_up(client, "unlucky")
        for number in range(50):
            deposit(client, f"player-{number}", f"deposit-{number}")

        async def accepted() -> int:
            return client.stats.accepted

        await wait_until(accepted, lambda count: count == 50, what="all others accepted")
        assert client.stats.waiting == 1


async def test_a_long_queue_makes_no_more_attempts_than_a_short_one(listener: StubServer) -> None:
    listener.always = AWAY
    limits = Limits(senders=4, first_pause_s=0.1, longest_pause_s=0.1, drain_s=0)
    async with CallbackLog().client(listener.url, limits) as client:
        for number in range(1000):
            sign_up(client, f"player-{number}")
        await wait_until(
            request_count_of(listener), lambda count: count >= 20, what="twenty attempts"
        )
        first, *_, last = listener.requests
    # Four at once, and then a pause of at least half of the longest.
    assert last.at_s - first.at_s >= (len(listener.requests) // 4 - 1) * 0.05


@pytest.mark.parametrize(
    ("status", "code"),
    [(409, "event_conflict"), (422, "validation_failed"), (400, "malformed_json")],
)
async def test_a_refused_event_is_reported_and_not_repeated(
    listener: StubServer, status: int, code: str
) -> None:
    back = CallbackLog()
    listener.script.append(Reply(status, {"code": code, "detail": "No."}))
    async with back.client(listener.url) as client:
        sign_up(client, "player", "refused-1")
        deposit(client, "player", "next-1")
        assert await client.flushed(SOON_S)

    assert listener.event_ids == ["refused-1", "next-1"]
    (refused,) = back.refused
    assert (refused.event_id, refused.refusal.code) == ("refused-1", code)
    assert refused.event is not None


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_bad_key_or_a_wrong_address_refuses_no_event(
    listener: StubServer, status: int
) -> None:
    back = CallbackLog()
    listener.script += [Reply(status), Reply(status)]
    async with back.client(listener.url) as client:
        sign_up(client, "player")
        assert await client.flushed(SOON_S)
        assert client.stats.accepted == 1
    assert back.refused == []


async def test_a_full_queue_drops_the_newest_and_says_so(listener: StubServer) -> None:
    back = CallbackLog()
    listener.mute()
    async with back.client(listener.url, Limits(queue=3, attempt_s=9, drain_s=1)) as client:
        handovers = [deposit(client, f"player-{number}", f"event-{number}") for number in range(5)]
        assert handovers == [Handover.QUEUED] * 3 + [Handover.DROPPED] * 2
        assert client.stats.dropped == 2
        listener.unmuted.set()
    assert back.dropped_ids == ["event-3", "event-4"]
    assert {dropped.why for dropped in back.dropped} == {"full"}
    assert sorted(listener.event_ids) == ["event-0", "event-1", "event-2"]


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


FIT: dict[str, Any] = {
    "event_id": "deposit-1",
    "player_id": "player",
    "deposit_id": "d-1",
    "amount": Money(1000, "USD"),
}


@pytest.mark.parametrize(
    "unfit",
    [
        {"player_id": None},
        {"player_id": "a b"},
        {"event_id": "x" * 65},
        {"event_id": Hostile()},
        {"amount": 10.0},
        {"amount": Money(0, "USD")},
        {"amount": Money(minor=True, currency="USD")},
        {"amount": Money(10**16, "USD")},
        {"amount": Money(1000, "dollars")},
        {"occurred_at": "yesterday"},
        {"method": "nul\0"},
        {"method": "half \ud800"},
        {"ip": Hostile()},
        {"nonsense": 1},
    ],
)
async def test_unusable_input_is_reported_and_raises_nothing(
    listener: StubServer, unfit: dict[str, Any]
) -> None:
    back = CallbackLog()
    async with back.client(listener.url) as client:
        assert client.deposited(**{**FIT, **unfit}) is Handover.REFUSED
        assert client.stats.refused == 1
    assert [refused.refusal.code for refused in back.refused] == ["invalid_input"]
    assert listener.requests == []


async def test_missing_fields_are_reported_and_raise_nothing(listener: StubServer) -> None:
    back = CallbackLog()
    async with back.client(listener.url) as client:
        assert client.deposited(event_id="deposit-1") is Handover.REFUSED  # type: ignore[call-arg]
    assert back.refused[0].refusal.detail.startswith("player_id:")


async def test_exceptions_of_callbacks_are_contained(listener: StubServer) -> None:
    def fail(_: Dropped | NotTaken) -> None:
        raise RuntimeError("the caller's own fault")

    limits = Limits(queue=1)
    client = Client(listener.url, "key", limits=limits, on_dropped=fail, on_refused=fail)
    assert deposit(client, "player") is Handover.QUEUED
    assert deposit(client, "player") is Handover.DROPPED
    assert deposit(client, "no player") is Handover.REFUSED
    await client.aclose()
    assert client.stats.dropped == 2


async def test_many_tasks_and_threads_hand_over_at_once(listener: StubServer) -> None:
    async with CallbackLog().client(listener.url) as client:

        def hand_over_many(who: str) -> None:
            for number in range(50):
                deposit(client, who, f"{who}-{number}")

        async def hand_over_each(who: str) -> None:
            hand_over_many(who)

        await asyncio.gather(
            *(hand_over_each(f"task-{number}") for number in range(5)),
            *(asyncio.to_thread(hand_over_many, f"thread-{number}") for number in range(5)),
        )
        assert await client.flushed(SOON_S)
    assert len(listener.event_ids) == len(set(listener.event_ids)) == 500
    for who in ("task-3", "thread-3"):
        arrived = [name for name in listener.event_ids if name.startswith(f"{who}-")]
        assert arrived == [f"{who}-{number}" for number in range(50)]


async def test_events_handed_over_before_the_start_wait_for_it(listener: StubServer) -> None:
    client = CallbackLog().client(listener.url)
    assert sign_up(client, "player", "early-1") is Handover.QUEUED
    async with client:
        assert await client.flushed(SOON_S)
    assert listener.event_ids == ["early-1"]


async def test_logs_name_events_and_never_a_person(
    listener: StubServer, caplog: pytest.LogCaptureFixture
) -> None:
    person: Any = {
        "email": f"{unique_id('someone')}@book.example",
        "full_name": unique_id("A Person"),
    }
    listener.script += [AWAY, Reply(422, {"code": "validation_failed"})]
    with caplog.at_level(logging.DEBUG, logger="referrals_client"):
        async with CallbackLog().client(listener.url, BRISK) as client:
            client.signed_up(
                event_id="signup-1",
                player_id="player",
                platform="web",
                jurisdiction="US-NJ",
                currency="USD",
                **person,
            )
            assert await client.flushed(SOON_S)
    assert "signup-1" in caplog.text
    assert "unavailable (http 503)" in caplog.text
    assert not any(secret in caplog.text for secret in person.values())


def request_count_of(listener: StubServer) -> Any:  # noqa: ANN401 - what `until` asks
    async def count() -> int:
        return len(listener.requests)

    return count
