"""The cluster of a case as a graph: players around a circle, the values that they share inside."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from referrals.reporting.case_clusters import CaseCluster

WIDTH: Final = 640
HEIGHT: Final = 360
PAIR_HEIGHT: Final = 150
"""Height of a picture of two players, who stand side by side."""
MAX_DRAWN_PLAYERS: Final = 24
"""Players that a graph can show apart; the table beside it names all."""
MAX_DRAWN_LINKS: Final = 24
SHOWN_ID_CHARS: Final = 14
RADIUS_SHARE: Final = 0.8
"""Part of half the picture at which the players stand."""


@dataclass(frozen=True, slots=True)
class Node:
    x: float
    y: float
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Positions in a picture of WIDTH by HEIGHT."""

    width: int
    height: int
    players: Sequence[Node]
    values: Sequence[Node]
    lines: Sequence[Line]
    left_out: int
    """Players that are not drawn."""


def draw_cluster(cluster: CaseCluster) -> Graph | None:
    """Return the graph of a cluster, or None for a single player without any link."""
    drawn = cluster.players[:MAX_DRAWN_PLAYERS]
    if len(drawn) < 2:
        return None
    height = HEIGHT if len(drawn) > 2 else PAIR_HEIGHT
    players = _on_ellipse(drawn, height=height)
    links = [
        (link, [players[player] for player in link.players if player in players])
        for link in cluster.links[:MAX_DRAWN_LINKS]
    ]
    values, lines = [], []
    places: dict[tuple[int, int], int] = {}
    for link, holders in links:
        if not holders:
            continue
        x, y = _free_place(holders, places, height=height)
        kind = link.kind.replace("_", " ")
        values.append(Node(x, y, kind, f"{kind} shared by {link.shared_by} players"))
        lines += [Line(holder.x, holder.y, x, y) for holder in holders]
    return Graph(
        width=WIDTH,
        height=height,
        players=list(players.values()),
        values=values,
        lines=lines,
        left_out=len(cluster.players) - len(drawn),
    )


def _on_ellipse(player_ids: Sequence[str], *, height: int) -> Mapping[str, Node]:
    nodes = {}
    for nth, player_id in enumerate(player_ids):
        angle = 2 * math.pi * nth / len(player_ids) + math.pi
        x = WIDTH / 2 + RADIUS_SHARE * WIDTH / 2 * math.cos(angle)
        y = height / 2 + RADIUS_SHARE * height / 2 * math.sin(angle)
        nodes[player_id] = Node(round(x, 1), round(y, 1), _short(player_id), player_id)
    return nodes


def _free_place(
    holders: Sequence[Node], places: dict[tuple[int, int], int], *, height: int
) -> tuple[float, float]:
    """Return the middle of the holders, moved aside where a value stands already."""
    x = sum(holder.x for holder in holders) / len(holders)
    y = sum(holder.y for holder in holders) / len(holders)
    taken = places.get((round(x), round(y)), 0)
    places[round(x), round(y)] = taken + 1
    offset = (taken + 1) // 2 * 52 * (1 if taken % 2 else -1)
    return round(x, 1), round(min(max(y + offset, 24), height - 24), 1)


def _short(player_id: str) -> str:
    is_long = len(player_id) > SHOWN_ID_CHARS
    return f"{player_id[: SHOWN_ID_CHARS - 1]}…" if is_long else player_id
