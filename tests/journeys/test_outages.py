"""Outages: without Temporal, or with an empty one, callers notice nothing and nothing is lost."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from sandbox.sportsbook.client import SportsbookClient
from sandbox.sportsbook.pairs import (
    Pair,
    create_deposited_pair,
    create_invited_pair,
    create_signed_up_pair,
)
from sandbox.sportsbook.requests import chargeback, deposit
from stack import Connection
from tests import ROOT
from tests.journeys.stack_processes import kill_child, read_pids, wait_for_restart

QUICKLY_S: Final = 5.0
RECOVERED_S: Final = 90.0


@pytest.mark.timeout(240)
async def test_events_are_taken_while_temporal_is_away(
    sportsbook: SportsbookClient, directory: Path
) -> None:
    temporal = read_pids(directory)["temporal"]
    os.kill(temporal, signal.SIGSTOP)
    try:
        began = time.monotonic()
        pairs = [await create_invited_pair(sportsbook) for _ in range(5)]
        for pair in pairs:
            assert await sportsbook.send(pair.signup()) == "accepted"
            assert await sportsbook.send(deposit(pair.referee_id)) == "accepted"
        took_s = time.monotonic() - began
    finally:
        os.kill(temporal, signal.SIGCONT)

    assert took_s < QUICKLY_S
    for pair in pairs:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)


@pytest.mark.timeout(240)
async def test_rebuilds_an_empty_temporal(
    sportsbook: SportsbookClient, directory: Path, stack: Connection
) -> None:
    invitation, waiting = (
        await create_invited_pair(sportsbook),
        await create_signed_up_pair(sportsbook),
    )
    credited, paid = await create_deposited_pair(sportsbook)
    reported = [await report_signup_and_deposit(sportsbook) for _ in range(10)]

    await wipe_temporal(directory)
    assert await rebuild(stack) == 0

    await sportsbook.send(invitation.signup())
    for pair in (invitation, waiting):
        await sportsbook.send(deposit(pair.referee_id))
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)
    for pair in reported:
        await sportsbook.wait_for_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)
    await sportsbook.send(chargeback(paid))
    await sportsbook.wait_for_stage(credited.referral_id, "REVERSED", within_s=RECOVERED_S)
    assert (await sportsbook.wait_until_delivered()).failures == {}


async def report_signup_and_deposit(sportsbook: SportsbookClient) -> Pair:
    """Report a signup and a deposit; the workflow may not have acted yet."""
    pair = await create_invited_pair(sportsbook)
    await sportsbook.send(pair.signup())
    await sportsbook.send(deposit(pair.referee_id))
    return pair


async def wipe_temporal(directory: Path) -> None:
    # Between these two nothing is awaited, so the supervisor cannot start the successor sooner.
    pid = kill_child(directory, "temporal")
    for file in directory.glob("temporal.db*"):
        file.unlink()
    await wait_for_restart(directory, "temporal", pid)


async def rebuild(stack: Connection) -> int:
    rebuilding = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "rebuild"),
        env={**os.environ, **stack.environment},
        cwd=ROOT,
    )
    return await rebuilding.wait()
