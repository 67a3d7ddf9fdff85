"""The evaluation of attribution, in small: its results, and the faults that it must notice."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from sandbox.evaluation.figures import Bound, Figure, complaints, payments_outside_the_plan, total
from sandbox.evaluation.main import judged, prepare, settings_for
from sandbox.evaluation.paths import SCENARIOS
from sandbox.evaluation.plan import planned
from sandbox.evaluation.play import Middleware, Told, play
from stack.postgres import PostgresCluster
from tests.fixtures.databases import DatabaseUrls, database_copy
from tests.journeys.faulty_middleware import (
    AskAlways,
    AttributeByAddress,
    IgnoreClaimGrace,
    drop_tokens,
)

JOURNEYS = 200
SEED = 3


async def evaluate(
    urls: DatabaseUrls,
    *,
    journeys: int = JOURNEYS,
    parts: int = 1,
    wrapped: Middleware | None = None,
) -> tuple[list[Figure], list[str]]:
    settings = settings_for(urls.application)
    key = await prepare(settings)
    plan, results = planned(journeys, seed=SEED), []
    for number in range(parts):
        results += await play(plan.shard(number, of=parts), settings, key=key, wrapped=wrapped)
    return await judged(settings, results, key=key)


@pytest.fixture(scope="module")
async def figures(postgres: PostgresCluster, template_database: str) -> AsyncIterator[list[Figure]]:
    """Evaluate once; that run must have no complaints."""
    async with database_copy(postgres, template_database) as urls:
        figures, found = await evaluate(urls)
        assert found == []
        yield figures


def test_pays_no_wrong_referrer_and_loses_no_intact_token(figures: list[Figure]) -> None:
    everyone = total(figures)
    assert (everyone.journeys, everyone.wrong_paid) == (JOURNEYS, 0)
    assert all(figure.journeys for figure in figures)
    assert all(figure.paid == figure.journeys for figure in figures if figure.must_arrive)


def test_asks_before_a_match_counts(figures: list[Figure]) -> None:
    by_scenario = {figure.path: figure for figure in figures}
    alone, in_a_dorm = (
        by_scenario["iOS install without consent"],
        by_scenario["iOS in a dorm, several candidates"],
    )
    assert alone.asked > 0
    assert in_a_dorm.asked / in_a_dorm.journeys < alone.asked / alone.journeys
    neighbour = by_scenario["nobody; a neighbour followed a link"]
    assert (neighbour.attributed, neighbour.asked) == (0, neighbour.journeys)


async def test_would_notice_that_an_address_decides(fresh_urls: DatabaseUrls) -> None:
    _, found = await evaluate(fresh_urls, wrapped=AttributeByAddress)
    assert any("paid to the wrong referrer" in complaint for complaint in found)


async def test_would_notice_that_tokens_are_lost(fresh_urls: DatabaseUrls) -> None:
    _, found = await evaluate(fresh_urls, journeys=len(SCENARIOS), wrapped=drop_tokens)
    assert any("same browser: 1 intact" in complaint for complaint in found)


async def test_would_notice_that_a_late_code_counts(
    fresh_urls: DatabaseUrls,
) -> None:
    _, found = await evaluate(fresh_urls, journeys=len(SCENARIOS), wrapped=IgnoreClaimGrace)
    assert found == ["code typed after grace: 1 were attributed all the same"]


async def test_would_notice_that_an_app_is_asked_about_no_code_or_several(
    fresh_urls: DatabaseUrls,
) -> None:
    _, found = await evaluate(fresh_urls, wrapped=AskAlways)
    assert any("or several, may be meant" in complaint for complaint in found)


async def test_sharding_does_not_change_the_figures(
    postgres: PostgresCluster, template_database: str
) -> None:
    async with (
        database_copy(postgres, template_database) as one,
        database_copy(postgres, template_database) as other,
    ):
        whole = await evaluate(one, journeys=120)
        assert await evaluate(other, journeys=120, parts=3) == whole


def test_plans_the_same_journeys_for_a_seed_only() -> None:
    plan = planned(500, seed=SEED)
    assert planned(500, seed=SEED) == plan
    assert planned(500, seed=SEED + 1) != plan


def test_does_not_complain_of_a_wrong_attribution_that_is_not_paid() -> None:
    figure = Figure(
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
    assert complaints([figure]) == []


def test_complains_of_a_payment_for_a_player_outside_the_plan() -> None:
    journeys = [Told("own code", "ann", None, asked=False, asked_in_doubt=False)]
    bound = {"ann": Bound("ANN", is_paid=True), "other": Bound("BOB", is_paid=True)}
    assert payments_outside_the_plan(journeys, bound) == ["paid for other, who never deposited"]


@pytest.mark.timeout(300)
def test_the_command_leaves_with_0_and_writes_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["attribution-eval", "--journeys", "40", "--processes", "2", "--json", str(file)]
    assert CliRunner().invoke(cli.app, arguments).exit_code == 0
    results = json.loads(file.read_text())
    assert results["complaints"] == []
    assert results["paths"][-1]["journeys"] == 40
