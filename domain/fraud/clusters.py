"""Clusters: players that hard links join, directly or through others."""

from collections.abc import Iterable, Mapping


def join(groups: Iterable[Iterable[str]]) -> tuple[frozenset[str], ...]:
    """Return the clusters of two players or more that groups of linked players make."""
    parents: dict[str, str] = {}
    for group in groups:
        players = iter(group)
        first = next(players, None)
        if first is None:
            continue
        root = _find(parents, first)
        for player in players:
            parents[_find(parents, player)] = root
    clusters: dict[str, list[str]] = {}
    for player in parents:
        clusters.setdefault(_find(parents, player), []).append(player)
    return tuple(frozenset(members) for members in clusters.values() if len(members) > 1)


def _find(parents: dict[str, str], player: str) -> str:
    """Return the root of a player, and shorten the way to it (path halving)."""
    parents.setdefault(player, player)
    while parents[player] != player:
        parents[player] = player = parents[parents[player]]
    return player


def largest_first(clusters: Mapping[str, int]) -> list[str]:
    """Return the ids of clusters by falling size, the same order whenever it is asked."""
    return sorted(clusters, key=lambda cluster_id: (-clusters[cluster_id], cluster_id))
