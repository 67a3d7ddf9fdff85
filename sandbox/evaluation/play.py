"""Plays a plan: every journey through the real application, in the order of simulated time."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from starlette.types import ASGIApp

from api.app import build_app
from db.engine import Database
from runtime.settings import Settings
from sandbox.evaluation.clock import Lane, passing
from sandbox.evaluation.door import Door, use_simulated_time
from sandbox.evaluation.journey import Journey
from sandbox.evaluation.links import Links
from sandbox.evaluation.plan import Plan, PlannedJourney, networks_of
from sandbox.evaluation.sportsbook import Sportsbook

AT_ONCE: Final = 6
"""Places that go on at the same time in one process; each needs one connection."""
Middleware = Callable[[ASGIApp], ASGIApp]
"""Puts something around the application, so that a check can be shown to fail."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a journey whose story was told; `truth` is the code that brought it."""

    path: str
    player_id: str
    truth: str | None
    asked: bool
    asked_in_doubt: bool


def build_client(
    settings: Settings, database: Database, *, key: str, wrapped: Middleware | None
) -> Door:
    app = build_app(settings, database)
    use_simulated_time(app)
    return Door(wrapped(app) if wrapped else app, key=key)


async def play(
    plan: Plan, settings: Settings, *, key: str, wrapped: Middleware | None = None
) -> list[Told]:
    """Tell every story of the plan; the first fault ends them all."""
    async with Database.open(settings.database_url, pool_size=AT_ONCE) as database:
        door = build_client(settings, database, key=key, wrapped=wrapped)
        return await _told(plan, door, Sportsbook(settings, database, door))


async def _told(plan: Plan, door: Door, sportsbook: Sportsbook) -> list[Told]:
    told: list[Told] = []
    lanes = {place.number: Lane(place.opens_at) for place in networks_of(plan)}
    links = {number: Links() for number in lanes}
    async with passing(list(lanes.values()), at_once=AT_ONCE) as group:
        for one in plan.journeys:
            lane = lanes[one.place.number]
            journey = Journey(
                person=one.person,
                lane=lane,
                draw=Random(one.seed),  # noqa: S311 - a simulation that can be repeated
                door=door,
                sportsbook=sportsbook,
                friends=plan.friends,
                links=links[one.place.number],
            )
            lane.begin(group, one.at, _run_journey(one, journey, told))
    return sorted(told, key=lambda one: one.player_id)


async def _run_journey(one: PlannedJourney, journey: Journey, told: list[Told]) -> None:
    truth = await one.path.story(journey)
    await journey.days(0.01, 5)
    await journey.deposits()
    heard = (journey.asked, journey.asked_in_doubt)
    told.append(Told(one.path.name, one.person.player_id, truth, *heard))
