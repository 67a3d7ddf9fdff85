"""Conditions and values as hypothesis draws them."""

from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from domain.campaigns.conditions.fields import FIELDS, Field, FieldType, Operator, Value
from domain.campaigns.conditions.tree import MAX_DEPTH, AllOf, AnyOf, Condition, Leaf, Not
from domain.money import Money

_TEXTS: Final = st.sampled_from(["card", "voucher", "bank", "(a+)+$"])
_BY_TYPE: Final[dict[FieldType, st.SearchStrategy[Value]]] = {
    FieldType.BOOLEAN: st.booleans(),
    FieldType.MONEY: st.builds(Money, st.integers(0, 50), st.sampled_from(["USD", "EUR"])),
    FieldType.DURATION: st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    FieldType.JURISDICTION: st.sampled_from(["US-NJ", "US", "BR", "CA-ON"]),
    FieldType.CURRENCY: st.sampled_from(["USD", "EUR", "JPY"]),
}


def values_of(field: Field) -> st.SearchStrategy[Value]:
    """Return values that a field can have."""
    if field.type is FieldType.INTEGER:
        return st.integers(field.least, 30 if field.most is None else field.most)
    if field.type is FieldType.TEXT:
        return st.sampled_from(field.one_of) if field.one_of else _TEXTS
    return _BY_TYPE[field.type]


@st.composite
def _leaves(draw: st.DrawFn) -> Leaf:
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    op = draw(st.sampled_from(field.operators))
    if op is Operator.EXISTS:
        return Leaf(field.name, op, draw(st.booleans()))
    if op in {Operator.IN, Operator.NOT_IN}:
        listed = draw(st.lists(values_of(field), min_size=1, max_size=3))
        return Leaf(field.name, op, tuple(listed))
    return Leaf(field.name, op, draw(values_of(field)))


def _groups(children: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(children, min_size=1, max_size=3).map(tuple)
    return st.one_of(several.map(AllOf), several.map(AnyOf), children.map(Not))


def _depth(condition: Condition) -> int:
    match condition:
        case Leaf():
            return 1
        case Not(child):
            return 1 + _depth(child)
        case AllOf(children) | AnyOf(children):
            return 1 + max(_depth(child) for child in children)


LEAVES: Final = _leaves()
CONDITIONS: Final[st.SearchStrategy[Condition]] = st.recursive(
    LEAVES, _groups, max_leaves=12
).filter(lambda condition: _depth(condition) <= MAX_DEPTH)


@st.composite
def known_values(draw: st.DrawFn) -> dict[str, Value | None]:
    """Draw a value of every field, unknown where it may be."""
    return {
        name: draw(values_of(field) if field.always_known else st.none() | values_of(field))
        for name, field in sorted(FIELDS.items())
    }
