"""A sportsbook that uses the client while the API is killed: every referrer is credited once."""

from pathlib import Path
from typing import Any

import pytest

from referrals_client import Client, Handover, Limits, Money, Ok
from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import Pair, create_invited_pair
from sandbox.sportsbook.requests import ago, unique_id
from stack import Connection
from tests.journeys.stack_processes import RESTART_S, kill_child, wait_for_restart

PAIRS = 10
CREDITED_S = 90.0


def hand_over_signup_and_deposit(client: Client, pair: Pair) -> set[Handover]:
    """Hand over the signup and the first deposit, as two services would."""
    signup: Any = pair.signup().body
    deposit_id = unique_id("d")
    return {
        client.signed_up(**{**signup, "occurred_at": ago(seconds=2)}),
        client.deposited(
            event_id=f"deposit:{deposit_id}",
            player_id=pair.referee_id,
            deposit_id=deposit_id,
            amount=Money(2000, "USD"),
            occurred_at=ago(seconds=1),
        ),
    }


@pytest.mark.timeout(240)
async def test_signups_during_an_outage_are_credited_after_it(
    sportsbook: SportsbookClient, stack: Connection, directory: Path
) -> None:
    pairs = [await create_invited_pair(sportsbook) for _ in range(PAIRS)]
    limits = Limits(longest_pause_s=0.5, drain_s=RESTART_S)

    async with Client(stack.api_url, stack.api_key, limits=limits) as client:
        before = [hand_over_signup_and_deposit(client, pair) for pair in pairs[: PAIRS // 2]]
        pid = kill_child(directory, "api")
        during = [hand_over_signup_and_deposit(client, pair) for pair in pairs[PAIRS // 2 :]]
        await wait_for_restart(directory, "api", pid)
        assert await client.flushed(RESTART_S)

    assert before == during == [{Handover.QUEUED}] * (PAIRS // 2)
    assert (client.stats.accepted, client.stats.dropped) == (2 * PAIRS, 0)
    for pair in pairs:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=CREDITED_S)
        assert (await sportsbook.balance(pair.referrer_id)).minor("available") == 1000


async def test_a_balance_and_a_code_are_read_through_the_client(
    sportsbook: SportsbookClient, stack: Connection
) -> None:
    pair = await create_invited_pair(sportsbook)
    async with Client(stack.api_url, stack.api_key) as client:
        code, balance = await client.code_of(pair.referrer_id), await client.balance("nobody")
    assert isinstance(code, Ok)
    assert code.value.code == await sportsbook.code(pair.referrer_id)
    assert isinstance(balance, Ok)
    assert balance.value.available == ()
