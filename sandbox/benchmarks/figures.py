"""What was measured, beside its floor and its target, as a table and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; `floor` is the same without the service's own work."""

    name: str
    unit: str
    value: float
    floor: float | None = None
    at_most: float | None = None
    at_least_of_floor: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def target(self) -> str:
        if self.at_least_of_floor is not None:
            return f"≥ {self.at_least_of_floor:g} of the floor"
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}"

    @property
    def reached(self) -> bool | None:
        """None where there is no target."""
        if self.at_least_of_floor is not None:
            return (self.ratio or 0.0) >= self.at_least_of_floor
        return None if self.at_most is None else self.value <= self.at_most

    def plain(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": self.target or None,
            "reached": self.reached,
        }


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least so many percent do not exceed."""
    rank = max(1, math.ceil(len(samples) * percent / 100))
    return sorted(samples)[rank - 1]


def table(figures: Sequence[Figure], *, title: str) -> Table:
    drawn = Table("figure", title=title)
    for heading in ("value", "floor", "ratio"):
        drawn.add_column(heading, justify="right")
    drawn.add_column("unit")
    drawn.add_column("target")
    drawn.add_column("")
    for figure in figures:
        numbers = (_short(figure.value), _short(figure.floor), _short(figure.ratio))
        drawn.add_row(
            figure.name, *numbers, figure.unit, figure.target, _format_reached(figure.reached)
        )
    return drawn


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _format_reached(reached: bool | None) -> str:  # noqa: FBT001 - it has three values
    if reached is None:
        return ""
    return "[green]reached[/green]" if reached else "[red]not reached[/red]"
