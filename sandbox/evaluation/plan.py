"""The plan of a run: who plays which scenario, where and when, drawn from the seed in advance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from sandbox.evaluation.scenarios import SCENARIOS, Scenario
from sandbox.evaluation.world import NetworkKind, Person, network_address, person

BEGINS_AT: Final = datetime(2025, 3, 3, tzinfo=UTC)
"""Far enough in the past that no reported time is ahead of the real clock."""
PEOPLE: Final = {
    NetworkKind.HOME: (1, 3),
    NetworkKind.MOBILE: (20, 40),
    NetworkKind.DORM: (60, 140),
}
"""Least and greatest number of people in a network of each kind."""
OPENING_DAYS: Final = 60
MOBILE_DAYS: Final = 10
DORM_EVENING: Final = timedelta(hours=3)
JOURNEYS_PER_FRIEND: Final = 8


@dataclass(frozen=True, slots=True)
class Network:
    """At most `capacity` people who share an address; a dormitory's all come in one evening."""

    number: int
    kind: NetworkKind
    capacity: int
    opens_at: datetime

    @property
    def spread(self) -> timedelta:
        if self.kind is NetworkKind.DORM:
            return DORM_EVENING
        return timedelta(days=MOBILE_DAYS if self.kind is NetworkKind.MOBILE else OPENING_DAYS)


@dataclass(frozen=True, slots=True)
class PlannedJourney:
    """A journey before it begins; all its random numbers come from `seed`."""

    scenario: Scenario
    network: Network
    person: Person
    at: datetime
    seed: str


@dataclass(frozen=True, slots=True)
class Plan:
    journeys: tuple[PlannedJourney, ...]
    friend_count: int

    def shard(self, number: int, *, of: int) -> "Plan":
        """Return one process's part, in whole networks, none of which depends on another."""
        part = tuple(each for each in self.journeys if each.network.number % of == number)
        return Plan(part, self.friend_count)


def make_plan(journeys: int, *, seed: int) -> Plan:
    """Plan every scenario once, and then the rest at random by their weights."""
    rng = Random(seed)  # noqa: S311 - a simulation that can be repeated
    weights = [scenario.weight for scenario in SCENARIOS]
    drawn = rng.choices(SCENARIOS, weights, k=max(0, journeys - len(SCENARIOS)))
    scenarios = [*SCENARIOS, *drawn][:journeys]
    networks = _NetworkPool(rng)
    planned_journeys = [
        _plan_journey(rng, number, scenario, networks, seed)
        for number, scenario in enumerate(scenarios)
    ]
    return Plan(tuple(planned_journeys), max(2, journeys // JOURNEYS_PER_FRIEND))


def networks_of(plan: Plan) -> Sequence[Network]:
    return tuple({one.network.number: one.network for one in plan.journeys}.values())


def _plan_journey(
    rng: Random, number: int, scenario: Scenario, networks: "_NetworkPool", seed: int
) -> PlannedJourney:
    network = networks.one_of(scenario.networks)
    platform = scenario.phone or rng.choice(("ios", "android"))
    who = person(
        rng, player_id=f"player-{number}", ip=network_address(network.number), platform=platform
    )
    at = network.opens_at + network.spread * rng.random()
    return PlannedJourney(scenario, network, who, at, f"{seed}:{number}")


class _NetworkPool:
    """The networks with free capacity; a new one opens when that of its kind is full."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._open: dict[NetworkKind, Network] = {}
        self._people: dict[NetworkKind, int] = {}
        self._number = 0

    def one_of(self, kinds: Sequence[NetworkKind]) -> Network:
        kind = self._rng.choice(kinds)
        network = self._open.get(kind)
        if network is None or self._people[kind] >= network.capacity:
            network = self._open_another(kind)
        self._people[kind] += 1
        return network

    def _open_another(self, kind: NetworkKind) -> Network:
        opens_at = BEGINS_AT
        if kind is not NetworkKind.HOME:
            opens_at += timedelta(days=self._rng.uniform(0, OPENING_DAYS))
        self._number += 1
        network = Network(self._number, kind, self._rng.randint(*PEOPLE[kind]), opens_at)
        self._open[kind], self._people[kind] = network, 0
        return network
