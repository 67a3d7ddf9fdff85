"""The typed tree of conditions: leaves that compare a field, under `all`, `any` and `not`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from domain.campaigns.conditions.fields import Operator, Value

MAX_NODES: Final = 100
MAX_DEPTH: Final = 8
"""Bounds of one tree; a leaf has depth 1, and every `all`, `any` and `not` is a node."""
MAX_LISTED_VALUES: Final = 200
"""Bound of the values of all lists in one tree."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A comparison of one field with a value, or with several for `in` and `not_in`."""

    field: str
    op: Operator
    value: Value | tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition: TypeAlias = Leaf | AllOf | AnyOf | Not


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield every leaf in the order of the tree."""
    match condition:
        case Leaf():
            yield condition
        case Not(child):
            yield from leaves(child)
        case AllOf(children) | AnyOf(children):
            for child in children:
                yield from leaves(child)


def mentions(condition: Condition, prefix: str) -> bool:
    """Return whether a condition reads a field whose name begins so."""
    return any(leaf.field.startswith(prefix) for leaf in leaves(condition))
