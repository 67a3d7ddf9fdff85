"""The outbox and its relay: at least once, in order per player, many at once."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest

from outbox_writer import write_event
from referrals.intake.events import StatusChangeIn
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import unique_id
from tests.client.client_harness import SOON_S
from tests.client.processes import Api, relay
from tests.client.signup_service import OPEN, OutboxSignupService, deposit_body, signup_body
from tests.client.stub_server import Reply, StubServer


async def test_a_killed_relays_events_are_sent_again(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    await OutboxSignupService(accounts).sign_up("player")
    listener.mute()
    async with relay(outbox_dsn, listener.url, "key", lease_s=1) as killed:
        await asyncio.wait_for(listener.arrived.wait(), SOON_S)
        await killed.end(signal.SIGKILL)
    listener.unmuted.set()
    async with relay(outbox_dsn, listener.url, "key", lease_s=1):
        await wait_until_settled(accounts)
    assert listener.event_ids == ["signup:player", "signup:player", "deposit:player"]


async def test_two_relays_send_each_event_once_and_in_its_players_order(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    event_ids_by_player = {
        f"player-{number}": [f"{number}-{event}" for event in range(20)] for number in range(9)
    }
    for event in range(20):
        for player_id, event_ids in event_ids_by_player.items():
            await write_event(
                accounts, "deposits", deposit_body(player_id) | with_event_id(event_ids[event])
            )
    async with (
        relay(outbox_dsn, listener.url, "key"),
        relay(outbox_dsn, listener.url, "key"),
    ):
        await wait_until_settled(accounts)

    assert len(listener.requests) == 180
    for player_id, event_ids in event_ids_by_player.items():
        ours = [request for request in listener.requests if request.body["player_id"] == player_id]
        assert [request.event_id for request in ours] == event_ids


async def test_order_is_kept_while_the_service_fails(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    listener.script += [Reply(503), Reply(None), Reply(500), Reply(429, {}, {"Retry-After": "1"})]
    await OutboxSignupService(accounts).sign_up("player")
    async with relay(outbox_dsn, listener.url, "key"):
        await wait_until_settled(accounts)
    assert listener.event_ids == ["signup:player"] * 5 + ["deposit:player"]
    assert listener.requests[4].at_s - listener.requests[3].at_s >= 1


async def test_a_refused_event_is_set_aside_and_the_next_goes_on(
    real_service: Api, events_key: str, accounts: asyncpg.Pool, outbox_dsn: str, facts: asyncpg.Pool
) -> None:
    player_id = unique_id("player")
    with_nul = signup_body(player_id) | {"full_name": "nul\0"}
    twice = {"event_id": "same", "player_id": player_id, "occurred_at": "2026-03-01T00:00:00Z"}
    await write_event(accounts, "signups", with_nul)
    await write_event(accounts, "players", {**twice, "status": "verified"})
    await write_event(accounts, "deposits", deposit_body(player_id))
    async with relay(outbox_dsn, real_service.url, events_key):
        await wait_until_settled(accounts)

        await accounts.execute("DELETE FROM referral_outbox WHERE event_id = 'same'")
        await write_event(accounts, "players", {**twice, "status": "closed"})
        await wait_until_settled(accounts)

    dead = await accounts.fetch("SELECT event_id, dead FROM referral_outbox WHERE dead IS NOT NULL")
    assert {row["event_id"]: row["dead"] for row in dead} == {
        f"signup:{player_id}": "validation_failed",
        "same": "event_conflict",
    }
    stored = await facts.fetch("SELECT event_id FROM facts ORDER BY heard_at")
    assert [row["event_id"] for row in stored] == ["same", f"deposit:{player_id}"]


async def test_a_proxys_refusal_leaves_the_row_in_the_outbox(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    listener.script.append(Reply(400, {}, {"content-type": "text/html"}))
    await OutboxSignupService(accounts).sign_up("player")
    async with relay(outbox_dsn, listener.url, "key"):
        await wait_until_settled(accounts)
    assert listener.event_ids == ["signup:player", "signup:player", "deposit:player"]
    dead = await accounts.fetchval("SELECT count(*) FROM referral_outbox WHERE dead IS NOT NULL")
    assert dead == 0


async def test_an_account_that_is_rolled_back_leaves_no_event(accounts: asyncpg.Pool) -> None:
    desk = OutboxSignupService(accounts)
    await accounts.execute(OPEN, "taken")
    with pytest.raises(asyncpg.UniqueViolationError):
        await desk.sign_up("taken")
    assert await accounts.fetchval("SELECT count(*) FROM referral_outbox") == 0


async def test_a_time_is_written_as_the_service_reads_it(accounts: asyncpg.Pool) -> None:
    at = datetime.now(UTC)
    body = {"event_id": "e-1", "player_id": "p-1", "occurred_at": at, "status": "verified"}
    await write_event(accounts, "players", body)
    row = await accounts.fetchrow("SELECT body FROM referral_outbox")
    assert row is not None
    assert StatusChangeIn.model_validate_json(row["body"]).occurred_at == at


async def test_an_event_reported_twice_is_one_row(accounts: asyncpg.Pool) -> None:
    for _ in range(2):
        await write_event(accounts, "signups", signup_body("player"))
    rows = await accounts.fetch("SELECT body FROM referral_outbox")
    assert [json.loads(row["body"])["player_id"] for row in rows] == ["player"]


async def test_an_event_that_always_fails_holds_up_nobody_else(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    listener.replies_by_player["unlucky"] = Reply(500)
    for player_id in ("unlucky", *(f"player-{number}" for number in range(20))):
        await OutboxSignupService(accounts).sign_up(player_id)
    async with relay(outbox_dsn, listener.url, "key"):
        await wait_until(waiting_count(accounts), lambda left: left == 2, what="only two left")
    assert "deposit:unlucky" not in listener.event_ids


async def test_more_events_that_always_fail_than_a_round_takes_hold_up_nobody_else(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    for player_id in (f"unlucky-{number}" for number in range(40)):
        listener.replies_by_player[player_id] = Reply(500)
        await write_event(accounts, "deposits", deposit_body(player_id))
    async with relay(outbox_dsn, listener.url, "key", lease_s=2):
        await wait_until(
            most_attempts(accounts), lambda most: most >= 4, what="pauses as long as they get"
        )
        for number in range(40):
            await write_event(accounts, "deposits", deposit_body(f"player-{number}"))
        await wait_until(
            waiting_count(accounts), lambda left: left == 40, what="only the unlucky left"
        )


async def test_a_relay_finishes_its_round_on_sigterm(
    listener: StubServer, accounts: asyncpg.Pool, outbox_dsn: str
) -> None:
    await OutboxSignupService(accounts).sign_up("player")
    listener.mute()
    async with relay(outbox_dsn, listener.url, "key") as ending:
        await asyncio.wait_for(listener.arrived.wait(), SOON_S)
        ending.send(signal.SIGTERM)
        listener.unmuted.set()
        assert await ending.end(signal.SIGTERM) == 0
    sent = await accounts.fetch("SELECT event_id FROM referral_outbox WHERE sent_at IS NOT NULL")
    assert [row["event_id"] for row in sent] == ["signup:player"]


def with_event_id(event_id: str) -> dict[str, str]:
    return {"event_id": event_id, "deposit_id": event_id}


def waiting_count(accounts: asyncpg.Pool) -> Callable[[], Awaitable[int]]:
    async def waiting() -> int:
        query = "SELECT count(*) FROM referral_outbox WHERE sent_at IS NULL AND dead IS NULL"
        return int(await accounts.fetchval(query))

    return waiting


def most_attempts(accounts: asyncpg.Pool) -> Callable[[], Awaitable[int]]:
    async def most() -> int:
        return int(await accounts.fetchval("SELECT max(attempts) FROM referral_outbox"))

    return most


async def wait_until_settled(accounts: asyncpg.Pool) -> None:
    """Wait until each row was sent or set aside."""
    await wait_until(waiting_count(accounts), lambda left: left == 0, what="all rows settled")
