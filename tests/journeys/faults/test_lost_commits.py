"""Commits that Postgres has carried out and whose replies are lost: each act has one effect."""

import os
from typing import Final

import pytest

from tests.journeys.faults.conftest import FaultySystem
from tests.journeys.faults.lives import SPENT_MINOR, Lives

LOST_COMMITS: Final = int(os.environ.get("REFERRALS_TEST_LOST_COMMITS", "10"))
"""REFERRALS_TEST_LOST_COMMITS=500 takes a few minutes."""
AT_ONCE: Final = 6


@pytest.mark.timeout(240 + 3 * LOST_COMMITS)
async def test_a_lost_reply_to_a_commit_has_one_effect(system: FaultySystem) -> None:
    lives = Lives(system.sportsbook)
    system.postgres.commits_to_lose = LOST_COMMITS
    while system.postgres.commits_to_lose:
        await lives.begin(AT_ONCE)
        # Before more is begun: a backlog would measure the machine.
        await lives.converge()

    await lives.spend()
    await lives.assert_one_effect_each(system.database, spent_minor=SPENT_MINOR)
    assert system.postgres.lost_commits == LOST_COMMITS
    print(f"{LOST_COMMITS} replies lost, {len(lives.begun)} lives with one effect each")  # noqa: T201 - shown by -s
