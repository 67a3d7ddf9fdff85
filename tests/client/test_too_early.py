"""Events that are ahead of the service's clock: they wait, and those of other players do not."""

import logging

import asyncpg
import pytest

from outbox_writer import write_event
from referrals_client import Client, Event, Limits
from referrals_client.lanes import Lanes
from sandbox.sportsbook.polling import wait_until
from tests.client.client_harness import SOON_S, CallbackLog, deposit
from tests.client.processes import relay
from tests.client.signup_service import deposit_body
from tests.client.stub_server import Reply, StubServer

EARLY = Reply(503, {"code": "too_early", "status": 503}, {"Retry-After": "300"})


async def wait_until_accepted(client: Client, expected: int) -> None:
    async def accepted() -> int:
        return client.stats.accepted

    await wait_until(accepted, lambda count: count == expected, what=f"{expected} accepted")


async def wait_until_early(client: Client, expected: int) -> None:
    async def early() -> int:
        return client.stats.early_attempts

    await wait_until(early, lambda count: count == expected, what=f"{expected} early attempts")


async def test_an_early_event_keeps_back_its_own_player_alone(
    listener: StubServer, caplog: pytest.LogCaptureFixture
) -> None:
    listener.replies_by_player["early"] = EARLY
    with caplog.at_level(logging.DEBUG, logger="referrals_client"):
        async with CallbackLog().client(listener.url, Limits(drain_s=0)) as client:
            deposit(client, "early", "early-1")
            deposit(client, "early", "early-2")
            await wait_until_early(client, 1)
            for number in range(20):
                deposit(client, f"player-{number}")

            await wait_until_accepted(client, 20)

            assert listener.event_ids.count("early-1") == 1
            assert "early-2" not in listener.event_ids
            assert (client.stats.waiting, client.stats.failed_attempts) == (2, 0)
            assert not client.stats.is_away
    assert "early-1 is ahead of the service's clock" in caplog.text
    assert "unavailable" not in caplog.text


async def test_an_early_event_is_accepted_once_its_time_has_come(listener: StubServer) -> None:
    listener.script.append(Reply(503, {"code": "too_early"}, {"Retry-After": "1"}))
    async with CallbackLog().client(listener.url) as client:
        deposit(client, "player", "first")
        deposit(client, "player", "second")
        assert await client.flushed(SOON_S)
    assert listener.event_ids == ["first", "first", "second"]
    assert listener.requests[1].at_s - listener.requests[0].at_s >= 1


async def test_an_early_event_does_not_end_the_backoff_of_an_outage(listener: StubServer) -> None:
    listener.always = Reply(503, {"code": "unavailable"})
    async with CallbackLog().client(listener.url, Limits(drain_s=0, senders=1)) as client:
        deposit(client, "player")

        async def is_away() -> bool:
            return client.stats.is_away

        await wait_until(is_away, bool, what="an outage")
        listener.replies_by_player["early"] = EARLY
        deposit(client, "early")
        await wait_until_early(client, 1)
        assert client.stats.is_away


async def test_early_events_leave_half_of_the_queue_to_others(listener: StubServer) -> None:
    back = CallbackLog()
    limits = Limits(queue=6, drain_s=0)
    async with back.client(listener.url, limits) as client:
        for number in range(5):
            listener.replies_by_player[f"early-{number}"] = EARLY
            deposit(client, f"early-{number}")
            await wait_until_early(client, number + 1)

        assert (client.stats.waiting, client.stats.dropped) == (3, 2)
        for number in range(3):
            deposit(client, f"player-{number}")
        await wait_until_accepted(client, 3)
        assert {dropped.why for dropped in back.dropped} == {"full"}


@pytest.mark.parametrize(
    "bound", [{"max_events": 4, "max_bytes": 1000}, {"max_events": 1000, "max_bytes": 40}]
)
def test_a_player_behind_an_early_event_fills_no_more_than_half_of_the_queue(
    bound: dict[str, int],
) -> None:
    lanes = Lanes(**bound)
    first, *later = [Event("wagers", f"e-{number}", "early", b"x" * 10) for number in range(4)]
    other = Event("wagers", "other", "player", b"x" * 10)

    assert lanes.put(first) is None
    assert lanes.postpone_early(first, 10)
    assert [lanes.put(event) for event in later] == [None, "full", "full"]
    assert lanes.put(other) is None

    lanes.settle(first)
    assert lanes.put(later[1]) is None


def test_a_lane_that_holds_more_than_half_of_the_queue_gives_up_its_early_event() -> None:
    lanes = Lanes(max_events=4, max_bytes=1000)
    first, second, third = (Event("wagers", f"e-{number}", "early", b"") for number in range(3))
    assert [lanes.put(event) for event in (first, second, third)] == [None] * 3

    assert not lanes.postpone_early(first, 10)
    lanes.settle(first)
    assert lanes.take(0) is second
    assert lanes.postpone_early(second, 10)


async def test_an_early_row_of_the_outbox_holds_up_nobody_else(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str, capfd: pytest.CaptureFixture[str]
) -> None:
    listener.replies_by_player["early"] = EARLY
    for player_id in ("early", *(f"player-{number}" for number in range(20))):
        await write_event(accounts, "deposits", deposit_body(player_id))
    async with relay(outbox_dsn, listener.url, "key"):

        async def waiting() -> int:
            query = "SELECT count(*) FROM referral_outbox WHERE sent_at IS NULL"
            return int(await accounts.fetchval(query))

        await wait_until(waiting, lambda left: left == 1, what="only the early one left")
    assert "rows stay in the outbox: too_early" in capfd.readouterr().err
