"""Outages: without Temporal, or with an empty one, callers notice nothing and nothing is lost."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from sandbox.sportsbook.book import Book
from sandbox.sportsbook.events import deposit, taken_back
from sandbox.sportsbook.pairs import Pair, deposited, invited, signed_up
from stack import Connection
from stack.state_directory import read_pids
from tests import ROOT
from tests.journeys.stack_processes import kill_child, wait_for_restart

QUICKLY_S: Final = 5.0
RECOVERED_S: Final = 90.0


@pytest.mark.timeout(240)
async def test_events_are_taken_while_temporal_is_away(book: Book, directory: Path) -> None:
    temporal = read_pids(directory)["temporal"]
    os.kill(temporal, signal.SIGSTOP)
    try:
        began = time.monotonic()
        pairs = [await invited(book) for _ in range(5)]
        for pair in pairs:
            assert await book.send(pair.signup()) == "accepted"
            assert await book.send(deposit(pair.referee_id)) == "accepted"
        took_s = time.monotonic() - began
    finally:
        os.kill(temporal, signal.SIGCONT)

    assert took_s < QUICKLY_S
    for pair in pairs:
        await book.at_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)


@pytest.mark.timeout(240)
async def test_rebuilds_an_empty_temporal(book: Book, directory: Path, stack: Connection) -> None:
    invitation, waiting = await invited(book), await signed_up(book)
    credited, paid = await deposited(book)
    reported = [await report_signup_and_deposit(book) for _ in range(10)]

    await wipe_temporal(directory)
    assert await rebuild(stack) == 0

    await book.send(invitation.signup())
    for pair in (invitation, waiting):
        await book.send(deposit(pair.referee_id))
        await book.at_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)
    for pair in reported:
        await book.at_stage(pair.referral_id, "REWARDED", within_s=RECOVERED_S)
    await book.send(taken_back(paid))
    await book.at_stage(credited.referral_id, "REVERSED", within_s=RECOVERED_S)
    assert (await book.delivered()).failures == {}


async def report_signup_and_deposit(book: Book) -> Pair:
    """Report a signup and a deposit; the workflow may not have acted yet."""
    pair = await invited(book)
    await book.send(pair.signup())
    await book.send(deposit(pair.referee_id))
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
