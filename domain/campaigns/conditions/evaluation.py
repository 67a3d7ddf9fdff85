"""Evaluation of conditions, with a trace of every leaf."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.campaigns.conditions.fields import FIELDS, FieldType, Operator, Value
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not
from domain.campaigns.conditions.values import read_value, write_value
from domain.campaigns.faults import TermsFaultError
from domain.jurisdictions import canonical
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A leaf with the value that it met; None is unknown."""

    path: str
    field: str
    value: Value | None
    holds: bool


def write_judged(judged: Judged) -> dict[str, object]:
    """Return a judged leaf as it is stored with a qualification."""
    value = None if judged.value is None else write_value(judged.value)
    return {"path": judged.path, "field": judged.field, "value": value, "holds": judged.holds}


def read_judged(written: Mapping[str, Any]) -> Judged:
    """Read back what `write_judged` wrote; a value that no condition could name is its text."""
    path, name = written["path"], written["field"]
    value = None if written["value"] is None else _read_known(written["value"], name, path)
    return Judged(path=path, field=name, value=value, holds=written["holds"])


def _read_known(value: object, name: str, path: str) -> Value:
    field = FIELDS.get(name)
    try:
        return str(value) if field is None else read_value(value, field, path)
    except TermsFaultError:
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    condition: Condition
    """The condition as it was judged, with its sums in the deposit's currency."""
    holds: bool
    trace: tuple[Judged, ...]
    """Every leaf in the order of the tree, also those that could not change the outcome."""


def evaluate(
    condition: Condition, known: Mapping[str, Value | None], *, path: str = "terms.when"
) -> Evaluation:
    """Judge a condition by the values of its fields; a field that is absent is unknown."""
    trace: list[Judged] = []

    def judge_leaf(leaf: Leaf, at: str) -> bool:
        value = known.get(leaf.field)
        holds = leaf_holds(leaf, value)
        trace.append(Judged(path=at, field=leaf.field, value=value, holds=holds))
        return holds

    holds = _judge(condition, judge_leaf, path)
    return Evaluation(condition=condition, holds=holds, trace=tuple(trace))


def did_hold(condition: Condition, held: Collection[str], *, path: str = "terms.when") -> bool:
    """Return whether a condition held, of which the leaves at these paths did."""
    return _judge(condition, lambda _, at: at in held, path)


def leaf_holds(leaf: Leaf, value: Value | None) -> bool:
    """Return whether a leaf holds for a value.

    On an unknown value, and on money in another currency, only `exists`, `ne` and `not_in` can.
    Texts and jurisdictions are compared in one spelling, as services write them in several.
    """
    if leaf.op is Operator.EXISTS:
        return (value is not None) is leaf.value
    known = in_one_spelling(value, leaf.field)
    if isinstance(leaf.value, tuple):
        listed = {in_one_spelling(one, leaf.field) for one in leaf.value}
        return (known in listed) is (leaf.op is Operator.IN)
    if leaf.op in {Operator.EQ, Operator.NE}:
        return (known == in_one_spelling(leaf.value, leaf.field)) is (leaf.op is Operator.EQ)
    return _is_ordered(leaf.op, value, leaf.value)


def in_one_spelling(value: Value | None, name: str) -> Value | None:
    """Return the one spelling by which texts and jurisdictions of a field are compared."""
    field = FIELDS.get(name)
    if field is None or not isinstance(value, str):
        return value
    if field.type is FieldType.JURISDICTION:
        return canonical(value)
    return value.strip().casefold() if field.type is FieldType.TEXT else value


def _judge(condition: Condition, judge_leaf: Callable[[Leaf, str], bool], path: str) -> bool:
    match condition:
        case Leaf():
            return judge_leaf(condition, path)
        case Not(child):
            return not _judge(child, judge_leaf, f"{path}.not")
        case AllOf(children):
            return not _judge_each(children, judge_leaf, f"{path}.all").count(False)
        case AnyOf(children):
            return _judge_each(children, judge_leaf, f"{path}.any").count(True) > 0


def _judge_each(
    conditions: Sequence[Condition], judge_leaf: Callable[[Leaf, str], bool], path: str
) -> list[bool]:
    """Judge all conditions, also after one that decides: every leaf belongs into the trace."""
    return [_judge(c, judge_leaf, f"{path}[{index}]") for index, c in enumerate(conditions)]


def _is_ordered(op: Operator, value: Value | None, bound: Value) -> bool:
    if isinstance(value, Money) and isinstance(bound, Money):
        comparable = value.currency == bound.currency
        return comparable and _compare(op, value.minor, bound.minor)
    if isinstance(value, timedelta) and isinstance(bound, timedelta):
        second = timedelta(microseconds=1)
        return _compare(op, value // second, bound // second)
    return isinstance(value, int) and isinstance(bound, int) and _compare(op, value, bound)


def _compare(op: Operator, value: int, bound: int) -> bool:
    match op:
        case Operator.GT:
            return value > bound
        case Operator.GTE:
            return value >= bound
        case Operator.LT:
            return value < bound
        case _:
            return value <= bound
