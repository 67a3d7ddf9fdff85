"""The playing of a plan: every journey in the real application, in the order of simulated time."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from starlette.types import ASGIApp

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from sandbox.evaluation.clock import SimulatedClock, run_clocks
from sandbox.evaluation.followed_links import FollowedLinks
from sandbox.evaluation.in_process_client import InProcessClient, use_simulated_time
from sandbox.evaluation.journey import Journey
from sandbox.evaluation.plan import Plan, PlannedJourney, networks_of
from sandbox.evaluation.sportsbook import Sportsbook

CONCURRENCY: Final = 6
"""Networks that run at the same time in one process; each needs a database connection."""
Middleware = Callable[[ASGIApp], ASGIApp]
"""Wraps the application, so that tests can show that a check fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyResult:
    """The outcome of a journey; `truth` is the code whose owner referred the person."""

    scenario: str
    player_id: str
    truth: str | None
    was_asked: bool
    was_asked_in_doubt: bool


def build_client(
    settings: Settings, database: Database, *, key: str, middleware: Middleware | None
) -> InProcessClient:
    app = build_app(settings, database)
    use_simulated_time(app)
    return InProcessClient(middleware(app) if middleware else app, key=key)


async def play(
    plan: Plan, settings: Settings, *, key: str, middleware: Middleware | None = None
) -> list[JourneyResult]:
    """Play every journey of the plan; the first fault ends them all."""
    async with Database.open(settings.database_url, pool_size=CONCURRENCY) as database:
        client = build_client(settings, database, key=key, middleware=middleware)
        return await _run_journeys(plan, client, Sportsbook(settings, database, client))


async def _run_journeys(
    plan: Plan, client: InProcessClient, sportsbook: Sportsbook
) -> list[JourneyResult]:
    results: list[JourneyResult] = []
    clocks = {network.number: SimulatedClock(network.opens_at) for network in networks_of(plan)}
    followed_links = {number: FollowedLinks() for number in clocks}
    async with run_clocks(list(clocks.values()), concurrency=CONCURRENCY) as group:
        for planned in plan.journeys:
            clock = clocks[planned.network.number]
            journey = Journey(
                person=planned.person,
                clock=clock,
                rng=Random(planned.seed),  # noqa: S311 - a simulation that can be repeated
                client=client,
                sportsbook=sportsbook,
                friend_count=plan.friend_count,
                followed_links=followed_links[planned.network.number],
            )
            clock.schedule(group, planned.at, _run_journey(planned, journey, results))
    return sorted(results, key=lambda result: result.player_id)


async def _run_journey(
    planned: PlannedJourney, journey: Journey, results: list[JourneyResult]
) -> None:
    truth = await planned.scenario.story(journey)
    await journey.waits_days(0.01, 5)
    await journey.deposits()
    results.append(
        JourneyResult(
            scenario=planned.scenario.name,
            player_id=planned.person.player_id,
            truth=truth,
            was_asked=journey.was_asked,
            was_asked_in_doubt=journey.was_asked_in_doubt,
        )
    )
