"""Hostile conditions for a client: foreign answers, long events, a failing log, a fork."""

import logging
import os

import pytest

from referrals_client import Client, Handover, Limits, Money
from referrals_client.wire import MAX_RESPONSE_BYTES
from sandbox.sportsbook.requests import unique_id
from tests.client.client_harness import SOON_S, CallbackLog, sign_up
from tests.client.stub_server import Reply, StubServer


@pytest.mark.parametrize("errors", [None, ["no"], [{"loc": 1}]])
async def test_a_refusal_with_unknown_errors_is_still_a_refusal(
    listener: StubServer, errors: object
) -> None:
    back = CallbackLog()
    listener.replies_by_player["refused"] = Reply(422, {"code": "new", "errors": errors})
    async with back.client(listener.url) as client:
        sign_up(client, "refused")
        assert await client.flushed(SOON_S)
    assert [refused.refusal.code for refused in back.refused] == ["new"]


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ({"message": "Bad Request"}, "application/json"),
        ({"code": "malformed_json"}, "text/html"),
        ({"errors": ["no"]}, "application/problem+json"),
        ({"code": None}, "application/problem+json"),
    ],
)
@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
async def test_a_refusal_of_somebody_else_gives_no_event_up(
    listener: StubServer, status: int, body: dict[str, object], media_type: str
) -> None:
    back = CallbackLog()
    listener.script.append(Reply(status, body, {"content-type": media_type}))
    async with back.client(listener.url) as client:
        sign_up(client, "player", "signup-1")
        assert await client.flushed(SOON_S)
        assert (client.stats.accepted, client.stats.failed_attempts) == (1, 1)
    assert listener.event_ids == ["signup-1"] * 2
    assert back.refused == []


@pytest.mark.parametrize("body", [{}, {"status": "ok"}])
async def test_a_yes_of_somebody_else_delivers_nothing(
    listener: StubServer, body: dict[str, object]
) -> None:
    listener.script.append(Reply(200, body))
    async with CallbackLog().client(listener.url) as client:
        sign_up(client, "player", "signup-1")
        assert await client.flushed(SOON_S)
        assert client.stats.accepted == 1
    assert listener.event_ids == ["signup-1"] * 2


async def test_an_endless_answer_is_not_kept(listener: StubServer) -> None:
    listener.script.append(Reply(202, {"status": "x" * 2 * MAX_RESPONSE_BYTES}))
    async with CallbackLog().client(listener.url) as client:
        sign_up(client, "player")
        assert await client.flushed(SOON_S)
        assert (client.stats.accepted, client.stats.failed_attempts) == (1, 1)


async def test_a_queue_of_long_events_is_full_by_its_bytes_and_empties_again(
    listener: StubServer,
) -> None:
    listener.mute()
    async with CallbackLog().client(listener.url, Limits(queue_bytes=3000)) as client:
        handovers = [hand_over_long_event(client, f"player-{number}") for number in range(4)]
        assert handovers == [Handover.QUEUED] * 2 + [Handover.DROPPED] * 2
        listener.unmuted.set()
        assert await client.flushed(SOON_S)
        assert hand_over_long_event(client, "player-4") is Handover.QUEUED


class FailingHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(record.levelname)


async def test_a_log_that_fails_neither_reaches_the_caller_nor_ends_delivery(
    listener: StubServer,
) -> None:
    listener.script.append(Reply(503))
    log = logging.getLogger("referrals_client")
    log.addHandler(broken := FailingHandler())
    try:
        async with CallbackLog().client(listener.url, Limits(queue=1)) as client:
            handovers = [sign_up(client, "player"), sign_up(client, "player"), sign_up(client, "?")]
            assert await client.flushed(SOON_S)
    finally:
        log.removeHandler(broken)
    assert handovers == [Handover.QUEUED, Handover.DROPPED, Handover.REFUSED]
    assert client.stats.accepted == 1


# Python 3.12 warns of every fork beside threads; this child only asks, and exits.
@pytest.mark.filterwarnings("ignore:.* is multi-threaded:DeprecationWarning")
async def test_a_handover_in_a_forked_process_is_refused(listener: StubServer) -> None:
    async with CallbackLog().client(listener.url) as client:
        assert sign_up_in_a_fork(client) is Handover.DROPPED
        assert sign_up(client, "player") is Handover.QUEUED
        assert await client.flushed(SOON_S)


def sign_up_in_a_fork(client: Client) -> Handover:
    child = os.fork()
    if child == 0:
        os._exit(list(Handover).index(sign_up(client, "player")))
    _, status = os.waitpid(child, 0)
    return list(Handover)[os.waitstatus_to_exitcode(status)]


def hand_over_long_event(client: Client, player_id: str) -> Handover:
    return client.deposited(
        event_id=unique_id("deposit"),
        player_id=player_id,
        deposit_id="d-1",
        amount=Money(2000, "USD"),
        device_id="x" * 1000,
    )
