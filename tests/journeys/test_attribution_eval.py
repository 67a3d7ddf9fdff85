"""The evaluation of attribution, in small: its results, and the faults that it must notice."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.evaluation.main import collect_results, prepare_database, settings_for
from sandbox.evaluation.plan import make_plan
from sandbox.evaluation.play import JourneyResult, Middleware, play
from sandbox.evaluation.results import (
    BoundReferral,
    ScenarioResult,
    payments_outside_the_plan,
    total,
    violations,
)
from sandbox.evaluation.scenarios import SCENARIOS
from stack.postgres import PostgresCluster
from tests.fixtures.databases import DatabaseUrls, database_copy
from tests.journeys.faulty_middleware import (
    AskAlways,
    AttributeByAddress,
    IgnoreClaimGrace,
    drop_tokens,
)

JOURNEYS = 72
SEED = 3


async def evaluate(
    urls: DatabaseUrls,
    *,
    journeys: int = JOURNEYS,
    parts: int = 1,
    middleware: Middleware | None = None,
) -> tuple[list[ScenarioResult], list[str]]:
    settings = settings_for(urls.application, owner_url=urls.owner)
    key = await prepare_database(settings)
    plan = make_plan(journeys, seed=SEED)
    journey_results: list[JourneyResult] = []
    for number in range(parts):
        journey_results += await play(
            plan.shard(number, of=parts), settings, key=key, middleware=middleware
        )
    return await collect_results(settings, journey_results, key=key)


@pytest.fixture(scope="module")
async def results(
    postgres: PostgresCluster, template_database: str
) -> AsyncIterator[list[ScenarioResult]]:
    """Evaluate once; that run must have no violations."""
    async with database_copy(postgres, template_database) as urls:
        results, violated = await evaluate(urls)
        assert violated == []
        yield results


def test_pays_no_wrong_referrer_and_loses_no_intact_token(results: list[ScenarioResult]) -> None:
    everyone = total(results)
    assert (everyone.journeys, everyone.wrong_paid) == (JOURNEYS, 0)
    assert all(result.journeys for result in results)
    assert all(result.paid == result.journeys for result in results if result.must_arrive)


def test_asks_before_a_match_counts(results: list[ScenarioResult]) -> None:
    by_scenario = {result.path: result for result in results}
    alone, in_a_dorm = (
        by_scenario["iOS install without consent"],
        by_scenario["iOS in a dorm, several candidates"],
    )
    assert alone.asked > 0
    assert in_a_dorm.asked / in_a_dorm.journeys < alone.asked / alone.journeys
    neighbour = by_scenario["nobody; a neighbour followed a link"]
    assert (neighbour.attributed, neighbour.asked) == (0, neighbour.journeys)


async def test_would_notice_that_an_address_decides(fresh_urls: DatabaseUrls) -> None:
    _, violated = await evaluate(fresh_urls, journeys=len(SCENARIOS), middleware=AttributeByAddress)
    assert any("paid to the wrong referrer" in violation for violation in violated)


async def test_would_notice_that_tokens_are_lost(fresh_urls: DatabaseUrls) -> None:
    _, violated = await evaluate(fresh_urls, journeys=len(SCENARIOS), middleware=drop_tokens)
    assert any("same browser: 1 intact" in violation for violation in violated)


async def test_would_notice_that_a_late_code_counts(
    fresh_urls: DatabaseUrls,
) -> None:
    _, violated = await evaluate(fresh_urls, journeys=len(SCENARIOS), middleware=IgnoreClaimGrace)
    assert violated == ["code typed after grace: 1 were attributed all the same"]


async def test_would_notice_that_an_app_is_asked_about_no_code_or_several(
    fresh_urls: DatabaseUrls,
) -> None:
    _, violated = await evaluate(fresh_urls, journeys=len(SCENARIOS), middleware=AskAlways)
    assert any("or several, may be meant" in violation for violation in violated)


async def test_sharding_does_not_change_the_figures(
    postgres: PostgresCluster, template_database: str
) -> None:
    async with (
        database_copy(postgres, template_database) as one,
        database_copy(postgres, template_database) as other,
    ):
        whole = await evaluate(one, journeys=len(SCENARIOS))
        assert await evaluate(other, journeys=len(SCENARIOS), parts=3) == whole


def test_plans_the_same_journeys_for_a_seed_only() -> None:
    plan = make_plan(500, seed=SEED)
    assert make_plan(500, seed=SEED) == plan
    assert make_plan(500, seed=SEED + 1) != plan


def test_does_not_complain_of_a_wrong_attribution_that_is_not_paid() -> None:
    result = ScenarioResult(
        path="own code",
        must_arrive=False,
        must_not_arrive=False,
        journeys=1,
        attributed=1,
        correct=0,
        wrong=1,
        unattributed=0,
        right=0,
        asked=0,
        asked_in_doubt=0,
        paid=0,
        wrong_paid=0,
    )
    assert violations([result]) == []


def test_complains_of_a_payment_for_a_player_outside_the_plan() -> None:
    journeys = [
        JourneyResult(
            scenario="own code",
            player_id="ann",
            truth=None,
            was_asked=False,
            was_asked_in_doubt=False,
        )
    ]
    bound = {"ann": BoundReferral("ANN", is_paid=True), "other": BoundReferral("BOB", is_paid=True)}
    assert payments_outside_the_plan(journeys, bound) == ["paid for other, who never deposited"]


@pytest.mark.timeout(300)
async def test_the_command_leaves_with_0_and_writes_the_results(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["attribution-eval", "--journeys", "40", "--processes", "2", "--json", str(file)]
    # A process of its own: the command configures the logs of the one that runs it.
    ended = await asyncio.create_subprocess_exec(sys.executable, "-m", "cli", *arguments)
    assert await ended.wait() == 0
    written = json.loads(file.read_text())
    assert written["complaints"] == []
    assert written["paths"][-1]["journeys"] == 40
    assert written["user_agents"]["browsers_taken_for_programs"] == []
