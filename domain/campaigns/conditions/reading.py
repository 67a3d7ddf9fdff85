"""Reading conditions from JSON, and writing them back.

Both bounds are checked before a node is read, so that a hostile tree costs no more than a good one.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.campaigns.conditions.fields import FIELDS, Field, Operator, Value
from domain.campaigns.conditions.reach import check_reachable
from domain.campaigns.conditions.tree import (
    MAX_DEPTH,
    MAX_LISTED_VALUES,
    MAX_NODES,
    AllOf,
    AnyOf,
    Condition,
    Leaf,
    Not,
)
from domain.campaigns.conditions.values import read_value, write_value
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.written import check_keys, read_object

GROUPS: Final[Mapping[str, Callable[[tuple[Condition, ...]], Condition]]] = {
    "all": AllOf,
    "any": AnyOf,
}
_LEAF_KEYS: Final = frozenset({"field", "op", "value"})
_LISTING: Final = frozenset({Operator.IN, Operator.NOT_IN})
MAX_SHOWN_CHARS: Final = 64
"""Length to which a name that is not known is truncated in a message."""


def read_condition(written: object, path: str) -> Condition:
    """Return the condition, or raise a TermsFaultError at the first field that is wrong.

    A condition that can never be met is a fault, too.
    """
    condition = parse_condition(written, path)
    check_reachable(condition, path)
    return condition


def parse_condition(written: object, path: str) -> Condition:
    """Return the condition without the check that it can be met, such as one that is stored."""
    return _Reader().read(written, path, depth=1)


def write_condition(condition: Condition) -> dict[str, Any]:
    """Return the JSON that reads as this condition."""
    match condition:
        case AllOf(conditions):
            return {"all": [write_condition(child) for child in conditions]}
        case AnyOf(conditions):
            return {"any": [write_condition(child) for child in conditions]}
        case Not(child):
            return {"not": write_condition(child)}
        case Leaf(field, op, value):
            return {"field": field, "op": op.value, "value": _write(value)}


def _write(value: Value | tuple[Value, ...]) -> object:
    return [write_value(v) for v in value] if isinstance(value, tuple) else write_value(value)


class _Reader:
    """One reading, which counts nodes and listed values."""

    def __init__(self) -> None:
        self._nodes = 0
        self._listed = 0

    def read(self, written: object, path: str, *, depth: int) -> Condition:
        self._count_node(path, depth)
        node = read_object(written, path)
        if "field" in node:
            return self._leaf(node, path)
        if len(node) != 1 or (kind := next(iter(node))) not in {*GROUPS, "not"}:
            raise TermsFaultError(path, "Must be exactly one of all, any, not, or a field's leaf")
        if kind == "not":
            return Not(self.read(node[kind], f"{path}.not", depth=depth + 1))
        return GROUPS[kind](self._children(node[kind], f"{path}.{kind}", depth + 1))

    def _count_node(self, path: str, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise TermsFaultError(path, f"Must not be deeper than {MAX_DEPTH}")
        if self._nodes > MAX_NODES:
            raise TermsFaultError(path, f"Must not have more than {MAX_NODES} nodes")

    def _children(self, written: object, path: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(written, list) or not written:
            raise TermsFaultError(path, "Must be a list of at least one condition")
        return tuple(
            self.read(child, f"{path}[{index}]", depth=depth) for index, child in enumerate(written)
        )

    def _leaf(self, node: Mapping[str, Any], path: str) -> Leaf:
        check_keys(node, path, known=_LEAF_KEYS)
        field = _field(node["field"], f"{path}.field")
        op = _operator(node.get("op"), field, f"{path}.op")
        if "value" not in node:
            raise TermsFaultError(f"{path}.value", "Is required")
        return Leaf(field.name, op, self._value(node["value"], field, op, f"{path}.value"))

    def _value(
        self, written: object, field: Field, op: Operator, path: str
    ) -> Value | tuple[Value, ...]:
        if op is Operator.EXISTS:
            if not isinstance(written, bool):
                raise TermsFaultError(path, "Must be true or false")
            return written
        if op not in _LISTING:
            return read_value(written, field, path)
        if not isinstance(written, list) or not written:
            raise TermsFaultError(path, "Must be a list of at least one value")
        self._listed += len(written)
        if self._listed > MAX_LISTED_VALUES:
            raise TermsFaultError(path, f"All lists must not have over {MAX_LISTED_VALUES} values")
        return tuple(read_value(v, field, f"{path}[{i}]") for i, v in enumerate(written))


def _field(name: object, path: str) -> Field:
    if not isinstance(name, str):
        raise TermsFaultError(path, "Must be the name of a field")
    field = FIELDS.get(name)
    if field is None:
        raise TermsFaultError(path, f"Is not a field: {name[:MAX_SHOWN_CHARS]!r}")
    return field


def _operator(written: object, field: Field, path: str) -> Operator:
    if not isinstance(written, str) or written not in field.operators:
        raise TermsFaultError(path, f"Must be one of {', '.join(field.operators)}")
    return Operator(written)
