"""An outage of the service during signups: no caller waits, nothing raises, nothing is lost."""

import asyncio
import signal
import statistics
from collections.abc import Sequence
from typing import Final

import asyncpg
import pytest

from referrals_client import Client, Limits
from sandbox.sportsbook.polling import wait_until
from sandbox.sportsbook.requests import unique_id
from tests.client.client_harness import BRISK, SOON_S, CallbackLog
from tests.client.processes import Api, relay
from tests.client.signup_service import OutboxSignupService, QueueSignupService

SLOWER: Final = 3
MARGIN_S: Final = 0.02
LONGEST_S: Final = 1.0
ARRIVED_S: Final = 90.0

EARLIER_DEPOSITS: Final = """
    SELECT count(*) FROM facts AS signup JOIN facts AS deposit USING (player_id)
    WHERE signup.kind = 'signup' AND deposit.kind = 'deposit'
      AND deposit.heard_at <= signup.heard_at
"""


async def sign_up_some(
    desk: QueueSignupService | OutboxSignupService, count: int = 40
) -> list[float]:
    return [await desk.sign_up(unique_id("player")) for _ in range(count)]


def assert_same_shape(usual_s: Sequence[float], during_s: Sequence[float]) -> None:
    assert statistics.median(during_s) < SLOWER * statistics.median(usual_s) + MARGIN_S
    assert max(during_s) < LONGEST_S


async def stored_event_ids(facts: asyncpg.Pool) -> set[str]:
    return {row["event_id"] for row in await facts.fetch("SELECT event_id FROM facts")}


async def expected_event_ids(accounts: asyncpg.Pool) -> set[str]:
    players = [row["player_id"] for row in await accounts.fetch("SELECT player_id FROM accounts")]
    return {f"{kind}:{player}" for player in players for kind in ("signup", "deposit")}


async def test_signups_never_wait_and_all_events_arrive_in_order(
    real_service: Api, events_key: str, accounts: asyncpg.Pool, facts: asyncpg.Pool
) -> None:
    back = CallbackLog()
    async with back.client(real_service.url, api_key=events_key) as client:
        desk = QueueSignupService(accounts, client)
        usual_s = await sign_up_some(desk)
        assert await client.flushed(SOON_S)

        real_service.send(signal.SIGSTOP)
        frozen_s = await sign_up_some(desk)
        await real_service.kill()
        away_s = await sign_up_some(desk)
        assert client.stats.waiting >= 2 * len(away_s)
        returning, returning_s = asyncio.create_task(real_service.start()), list[float]()
        while not returning.done():
            returning_s += await sign_up_some(desk, 5)
            await asyncio.wait({returning}, timeout=0.1)
        assert await client.flushed(ARRIVED_S)

    for during_s in (frozen_s, away_s, returning_s):
        assert_same_shape(usual_s, during_s)
    assert (back.dropped, back.refused) == ([], [])
    assert await stored_event_ids(facts) == await expected_event_ids(accounts)
    assert client.stats.accepted == await facts.fetchval("SELECT count(*) FROM facts")
    assert await facts.fetchval(EARLIER_DEPOSITS) == 0


async def test_a_queue_that_overflows_reports_exactly_what_it_lost(
    real_service: Api, events_key: str, accounts: asyncpg.Pool, facts: asyncpg.Pool
) -> None:
    back = CallbackLog()
    await real_service.kill()
    limits = Limits(queue=25, first_pause_s=0.01, longest_pause_s=0.05)
    async with back.client(real_service.url, limits, events_key) as client:
        await sign_up_some(QueueSignupService(accounts, client))
        assert client.stats.dropped == len(back.dropped) == 80 - 25
        await real_service.start()
        assert await client.flushed(ARRIVED_S)

    lost = await expected_event_ids(accounts) - await stored_event_ids(facts)
    assert lost == set(back.dropped_ids)


async def test_the_outbox_loses_nothing_where_the_queue_would(
    real_service: Api,
    events_key: str,
    accounts: asyncpg.Pool,
    outbox_dsn: str,
    facts: asyncpg.Pool,
) -> None:
    desk = OutboxSignupService(accounts)
    async with relay(outbox_dsn, real_service.url, events_key, lease_s=2) as first:
        usual_s = await sign_up_some(desk)
        await wait_until_delivered(accounts)
        await real_service.kill()
        away_s = await sign_up_some(desk, 80)
        await first.end(signal.SIGKILL)
        await real_service.start()
        async with relay(outbox_dsn, real_service.url, events_key, lease_s=2):
            await wait_until_delivered(accounts)

    assert_same_shape(usual_s, away_s)
    assert await stored_event_ids(facts) == await expected_event_ids(accounts)
    assert await facts.fetchval(EARLIER_DEPOSITS) == 0


async def test_relays_killed_in_the_middle_of_a_burst_lose_nothing(
    real_service: Api,
    events_key: str,
    accounts: asyncpg.Pool,
    outbox_dsn: str,
    facts: asyncpg.Pool,
) -> None:
    await sign_up_some(OutboxSignupService(accounts), 60)
    for killed in range(4):
        async with relay(outbox_dsn, real_service.url, events_key, lease_s=1) as dying:
            await wait_until_sent(accounts, at_least=(killed + 1) * 20)
            await dying.end(signal.SIGKILL)
    async with relay(outbox_dsn, real_service.url, events_key, lease_s=1):
        await wait_until_sent(accounts, at_least=120)

    assert await stored_event_ids(facts) == await expected_event_ids(accounts)
    assert await facts.fetchval(EARLIER_DEPOSITS) == 0


@pytest.mark.parametrize("limits", [BRISK, Limits(drain_s=0.1)])
async def test_closing_during_an_outage_takes_no_longer_than_the_drain_limit(
    real_service: Api, events_key: str, accounts: asyncpg.Pool, limits: Limits
) -> None:
    back = CallbackLog()
    await real_service.kill()
    client: Client = back.client(real_service.url, limits, events_key)
    client.start()
    await sign_up_some(QueueSignupService(accounts, client), 5)
    await asyncio.wait_for(client.aclose(), limits.drain_s + 30)
    assert len(back.dropped) == 10


async def wait_until_sent(accounts: asyncpg.Pool, *, at_least: int) -> None:
    async def count() -> int:
        query = "SELECT count(sent_at) FROM referral_outbox"
        return int(await accounts.fetchval(query))

    what = f"{at_least} events sent"
    await wait_until(count, lambda seen: seen >= at_least, what=what, within_s=ARRIVED_S)


async def wait_until_delivered(accounts: asyncpg.Pool) -> None:
    async def waiting() -> int:
        query = "SELECT count(*) FROM referral_outbox WHERE sent_at IS NULL"
        return int(await accounts.fetchval(query))

    await wait_until(waiting, lambda count: count == 0, what="an empty outbox", within_s=ARRIVED_S)
