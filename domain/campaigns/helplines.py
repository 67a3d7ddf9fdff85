"""Helplines for people who gamble too much, which an offer names by jurisdiction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.jurisdictions import overlap

ELSEWHERE: Final = "*"
"""Jurisdiction of a helpline for every place that has none of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpline:
    """A responsible-gambling line and its number."""

    jurisdiction: str
    """ISO 3166 code, or `*` for every place that has no helpline of its own."""
    text: str
    phone: str
    url: str | None = None


def helplines_for(helplines: Sequence[Helpline], place: str | None) -> tuple[Helpline, ...]:
    """Return the helplines of a place, or those for elsewhere where it has none of its own.

    A country stands for all of its parts. All are returned where the place is unknown.
    """
    if place is None:
        return tuple(helplines)
    of_place = [line for line in helplines if overlap(line.jurisdiction, place)]
    return tuple(of_place or (line for line in helplines if line.jurisdiction == ELSEWHERE))
