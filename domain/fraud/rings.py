"""Rings: cycles, chains and stars of referrals among players that hard links join."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

MAX_CHAIN: Final = 8
"""Referrals followed upwards from a referrer."""
MAX_MEMBERS: Final = 200
"""Players of a cluster that are looked at; its size counts more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Players joined by hard links, who may be one person or a few who share everything."""

    cluster_id: str
    size: int
    members: tuple[str, ...]
    """The first MAX_MEMBERS of them by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Shapes of referrals that one referral is part of, with the pair's clusters as persons."""

    cycle: int = 0
    """Persons in the circle that the referral closes: 2 when each person referred the other."""
    chain: int = 0
    """Referrals in a row, this one counted, whose players are all in one cluster."""
    star: int = 0
    """Players of the referee's cluster whom the same referrer brought, this one counted."""
    ancestors: int = 0
    """Referrals in a row that led to the referrer, up to MAX_CHAIN; an honest offer has them."""


NO_RING: Final = Ring()


def find_ring(
    *,
    referrer_id: str,
    referee_id: str,
    clusters: Mapping[str, str],
    referred_by: Mapping[str, str],
) -> Ring:
    """Return the shapes around a referral.

    `clusters` maps players to their cluster, `referred_by` referees to their referrer.
    """
    known = {**referred_by, referee_id: referrer_id}
    above = _above(referrer_id, known)
    return Ring(
        cycle=_cycle(_person(referee_id, clusters), [referrer_id, *above], clusters, known),
        chain=_chain([referee_id, referrer_id, *above], clusters),
        star=_star(referrer_id, referee_id, clusters, known),
        ancestors=len(above),
    )


def _person(player_id: str, clusters: Mapping[str, str]) -> str:
    return clusters.get(player_id, player_id)


def _above(player_id: str, referred_by: Mapping[str, str]) -> list[str]:
    """Return who referred a player, who referred that one, and so on."""
    found: list[str] = []
    while len(found) < MAX_CHAIN and (player_id := referred_by.get(player_id, "")):
        if player_id in found:
            break
        found.append(player_id)
    return found


def _cycle(
    referee: str, above: list[str], clusters: Mapping[str, str], referred_by: Mapping[str, str]
) -> int:
    """Return how many persons lie on the shortest way from the referee's person back to it."""
    persons = [_person(player, clusters) for player in above]
    if referee in persons:
        return len(set(persons[: persons.index(referee)])) + 1
    referrers = {
        _person(by, clusters)
        for player, by in referred_by.items()
        if _person(player, clusters) == persons[0]
    }
    return 2 if referee in referrers else 0


def _chain(players: list[str], clusters: Mapping[str, str]) -> int:
    person = _person(players[0], clusters)
    inside = list(takewhile(lambda player: _person(player, clusters) == person, players))
    return len(inside) - 1


def _star(
    referrer_id: str, referee_id: str, clusters: Mapping[str, str], referred_by: Mapping[str, str]
) -> int:
    cluster = clusters.get(referee_id)
    if cluster is None:
        return 0
    return sum(
        by == referrer_id and clusters.get(player) == cluster for player, by in referred_by.items()
    )
