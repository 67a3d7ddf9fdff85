"""Who walks which path, where and when: drawn from the seed before anything happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from sandbox.evaluation.paths import SCENARIOS, Path
from sandbox.evaluation.world import Kind, Person, network_address, person

BEGINS_AT: Final = datetime(2025, 3, 3, tzinfo=UTC)
"""Far enough in the past that nothing which is reported lies ahead of the real clock."""
PEOPLE: Final = {Kind.HOME: (1, 3), Kind.MOBILE: (20, 40), Kind.DORM: (60, 140)}
"""How many there are at a place of each kind, at least and at most."""
OPENING_DAYS: Final = 60
MOBILE_DAYS: Final = 10
DORM_EVENING: Final = timedelta(hours=3)
JOURNEYS_PER_FRIEND: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where people share an address; those of a dormitory all come in one evening."""

    number: int
    kind: Kind
    room: int
    opens_at: datetime

    @property
    def spread(self) -> timedelta:
        if self.kind is Kind.DORM:
            return DORM_EVENING
        return timedelta(days=MOBILE_DAYS if self.kind is Kind.MOBILE else OPENING_DAYS)


@dataclass(frozen=True, slots=True)
class PlannedJourney:
    """One journey before it begins; all chance on it comes from `seed`."""

    path: Path
    place: Place
    person: Person
    at: datetime
    seed: str


@dataclass(frozen=True, slots=True)
class Plan:
    journeys: tuple[PlannedJourney, ...]
    friends: int

    def shard(self, number: int, *, of: int) -> "Plan":
        """The places of one process; what happens at a place depends on no other place."""
        part = tuple(one for one in self.journeys if one.place.number % of == number)
        return Plan(part, self.friends)


def planned(journeys: int, *, seed: int) -> Plan:
    """Every path at least once; then as often as their weights say."""
    draw = Random(seed)  # noqa: S311 - a simulation that can be repeated
    weights = [path.weight for path in SCENARIOS]
    paths = [*SCENARIOS, *draw.choices(SCENARIOS, weights, k=max(0, journeys - len(SCENARIOS)))][
        :journeys
    ]
    places = _Places(draw)
    told = [_journey(draw, number, path, places, seed) for number, path in enumerate(paths)]
    return Plan(tuple(told), max(2, journeys // JOURNEYS_PER_FRIEND))


def networks_of(plan: Plan) -> Sequence[Place]:
    return tuple({one.place.number: one.place for one in plan.journeys}.values())


def _journey(draw: Random, number: int, path: Path, places: "_Places", seed: int) -> PlannedJourney:
    place = places.one_of(path.places)
    platform = path.phone or draw.choice(("ios", "android"))
    who = person(
        draw, player_id=f"player-{number}", ip=network_address(place.number), platform=platform
    )
    at = place.opens_at + place.spread * draw.random()
    return PlannedJourney(path, place, who, at, f"{seed}:{number}")


class _Places:
    """Opens places as people need room."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self._open: dict[Kind, Place] = {}
        self._people: dict[Kind, int] = {}
        self._number = 0

    def one_of(self, kinds: Sequence[Kind]) -> Place:
        kind = self._draw.choice(kinds)
        place = self._open.get(kind)
        if place is None or self._people[kind] >= place.room:
            place = self._another(kind)
        self._people[kind] += 1
        return place

    def _another(self, kind: Kind) -> Place:
        opens_at = BEGINS_AT
        if kind is not Kind.HOME:
            opens_at += timedelta(days=self._draw.uniform(0, OPENING_DAYS))
        self._number += 1
        place = Place(self._number, kind, self._draw.randint(*PEOPLE[kind]), opens_at)
        self._open[kind], self._people[kind] = place, 0
        return place
