"""Played groups, through the API and a database: who is held and who is paid."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from sandbox.evaluation.main import settings_for
from sandbox.fraud_evaluation.groups import Group
from sandbox.fraud_evaluation.main import collect_results, prepare_database
from sandbox.fraud_evaluation.play import play
from sandbox.fraud_evaluation.population import make_population
from sandbox.fraud_evaluation.results import KindResult
from tests.fixtures.databases import DatabaseUrls

PLAYERS = 100
SEED = 5


def first_groups(*kinds: str) -> list[Group]:
    groups = make_population(PLAYERS, seed=SEED)
    return [next(group for group in groups if group.kind == kind) for kind in kinds]


async def played(urls: DatabaseUrls, groups: list[Group]) -> dict[str, KindResult]:
    settings = settings_for(urls.application, owner_url=urls.owner)
    key = await prepare_database(settings)
    await play(groups, settings, key=key)
    results, _, broken = await collect_results(settings, PLAYERS, SEED, key=key)
    assert broken == []
    return {result.kind: result for result in results}


async def test_holds_a_ring_on_one_device_and_pays_friends(fresh_urls: DatabaseUrls) -> None:
    results = await played(fresh_urls, first_groups("one device", "friends"))
    ring, friends = results["one device"], results["friends"]
    assert (ring.recall, ring.lost_minor, ring.reviewed) == (1.0, 0, ring.frauds)
    assert friends.referrals > 0
    assert friends.honest_stopped == 0


async def test_closes_a_cycle_by_naming_the_last_account(fresh_urls: DatabaseUrls) -> None:
    (cycle,) = first_groups("cycle")
    results = await played(fresh_urls, [cycle])
    assert results["cycle"].frauds == len(cycle.players)


@pytest.mark.timeout(600)
async def test_the_command_writes_the_results_and_says_whether_all_targets_are_met(
    tmp_path: Path,
) -> None:
    file = tmp_path / "figures.json"
    arguments = ["fraud-eval", "--players", "20", "--processes", "2", "--json", str(file)]
    # A process of its own: the command configures the logs of the one that runs it.
    ended = await asyncio.create_subprocess_exec(sys.executable, "-m", "cli", *arguments)
    assert await ended.wait() in {0, 1}
    written = json.loads(file.read_text())
    assert written["complaints"] == []
