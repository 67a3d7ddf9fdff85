"""Measurements beside their floors and targets, as a table and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One row of the table; `floor` is the same without the service's own work."""

    name: str
    unit: str
    value: float
    floor: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    at_least_of_floor: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def target(self) -> str:
        if self.at_least_of_floor is not None:
            return f"≥ {self.at_least_of_floor:g} of the floor"
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}"

    @property
    def is_reached(self) -> bool | None:
        """True or False where there is a target, otherwise None."""
        if self.at_least_of_floor is not None:
            return (self.ratio or 0.0) >= self.at_least_of_floor
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": self.target or None,
            "reached": self.is_reached,
        }


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` of all do not exceed."""
    rank = max(1, math.ceil(len(samples) * percent / 100))
    return sorted(samples)[rank - 1]


def table(measurements: Sequence[Measurement], *, title: str) -> Table:
    printed = Table("figure", title=title)
    for heading in ("value", "floor", "ratio"):
        printed.add_column(heading, justify="right")
    printed.add_column("unit")
    printed.add_column("target")
    printed.add_column("")
    for each in measurements:
        numbers = (_short(each.value), _short(each.floor), _short(each.ratio))
        printed.add_row(
            each.name, *numbers, each.unit, each.target, _format_reached(each.is_reached)
        )
    return printed


def _short(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _format_reached(reached: bool | None) -> str:  # noqa: FBT001 - it has three values
    if reached is None:
        return ""
    return "[green]reached[/green]" if reached else "[red]not reached[/red]"
