"""Names, mail addresses and phone numbers, each with a number that tells where it was put."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

SEEDS: Final[Mapping[str, Callable[[int], str]]] = {
    "name": lambda number: f"Wanda Feldmann{letters(number)}",
    "mail": lambda number: f"wanda.feldmann{letters(number)}@mail.example",
    "phone": lambda number: f"+44 7911 9{number:05}",
}
FOUND: Final = {
    "name": r"(?i)wanda[ +]feldmann([a-z]{4})",
    "mail": r"(?i)wanda\.feldmann([a-z]{4})",
    "phone": r"7911[ +]?9([0-9]{5})",
}


def letters(number: int) -> str:
    """Write a number in letters, as a name has none of digits."""
    digits = [(number // 26**place) % 26 for place in range(4)]
    return "".join(chr(ord("a") + digit) for digit in digits)


def number_of(found: str) -> int:
    if found.isdigit():
        return int(found)
    return sum((ord(one) - ord("a")) * 26**place for place, one in enumerate(found.lower()))


@dataclass(slots=True)
class Planted:
    """Places into which values were put, by the number in the values."""

    places: list[str] = field(default_factory=list)

    def seed(self, kind: str, place: str) -> str:
        """Return a value of a kind that is for one place alone."""
        self.places.append(f"{kind} in {place}")
        return SEEDS[kind](len(self.places) - 1)

    def each(self, place: str) -> Iterator[str]:
        """Return a value of each kind for a place."""
        for kind in SEEDS:
            yield self.seed(kind, place)

    def next(self, place: str) -> str:
        """Return a value for a place, of one kind after another."""
        return self.seed([*SEEDS][len(self.places) % len(SEEDS)], place)

    def found_in(self, written: str) -> set[str]:
        """Return the places whose values a text has."""
        numbers = {
            number_of(found) for pattern in FOUND.values() for found in re.findall(pattern, written)
        }
        return {self.places[number] for number in numbers if number < len(self.places)}
