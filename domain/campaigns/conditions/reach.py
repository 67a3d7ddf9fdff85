"""The check that a condition can be met at all.

Leaves that must hold together are tried on each value at which one of them can change its mind.
That is exact for one field; a contradiction between two fields, or one that needs the combination
of several `any`, is not found. A branch of `any` that can never hold is a fault, even where another
branch can: it is always a mistake.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain
from typing import TypeAlias

from domain.campaigns.conditions.evaluation import leaf_holds
from domain.campaigns.conditions.fields import FIELDS, Field, FieldType, Value
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not
from domain.campaigns.faults import TermsFaultError
from domain.money import LARGEST_MINOR, Money

_Wanted: TypeAlias = tuple[Leaf, bool]
"""A leaf, and whether it must hold or must not."""

_NEVER = "Can never be met"
_OTHER_TEXT = ("", "\x00")
_OTHER_CURRENCY = "XXX"


def check_reachable(condition: Condition, path: str) -> None:
    """Raise a TermsFaultError at the innermost condition that can never be met."""
    _check(condition, path, wanted=True, beside=())


def _check(condition: Condition, path: str, *, wanted: bool, beside: tuple[_Wanted, ...]) -> None:
    match condition:
        case Leaf():
            same_field = [other for other in beside if other[0].field == condition.field]
            if not _can_hold(FIELDS[condition.field], [*same_field, (condition, wanted)]):
                raise TermsFaultError(path, _NEVER)
        case Not(child):
            _check(child, f"{path}.not", wanted=not wanted, beside=beside)
        case AllOf(children):
            _check_group(children, f"{path}.all", wanted=wanted, beside=beside, is_all=wanted)
        case AnyOf(children):
            _check_group(children, f"{path}.any", wanted=wanted, beside=beside, is_all=not wanted)


def _check_group(
    children: Sequence[Condition],
    path: str,
    *,
    wanted: bool,
    beside: tuple[_Wanted, ...],
    is_all: bool,
) -> None:
    """Check each child beside what must hold with it: where `is_all`, the leaves before it."""
    together = beside
    later: list[tuple[int, Condition]] = []
    for index, child in enumerate(children):
        leaf = _as_leaf(child, wanted=wanted)
        if leaf is None:
            later.append((index, child))
            continue
        _check(child, f"{path}[{index}]", wanted=wanted, beside=together)
        if is_all:
            together = (*together, leaf)
    for index, child in later:
        _check(child, f"{path}[{index}]", wanted=wanted, beside=together)


def _as_leaf(condition: Condition, *, wanted: bool) -> _Wanted | None:
    while isinstance(condition, Not):
        condition, wanted = condition.condition, not wanted
    return (condition, wanted) if isinstance(condition, Leaf) else None


def _can_hold(field: Field, leaves: Sequence[_Wanted]) -> bool:
    return any(
        all(leaf_holds(leaf, value) is holds for leaf, holds in leaves)
        for value in _candidates(field, leaves)
    )


def _candidates(field: Field, leaves: Sequence[_Wanted]) -> list[Value | None]:
    """Return values of which one meets all leaves, if any value does."""
    named = list(chain.from_iterable(_values_of(leaf) for leaf, _ in leaves))
    candidates: list[Value | None] = [] if field.always_known else [None]
    match field.type:
        case FieldType.BOOLEAN:
            return [*candidates, True, False]
        case FieldType.MONEY:
            return [*candidates, *_amounts_around([v for v in named if isinstance(v, Money)])]
        case FieldType.DURATION:
            second = timedelta(seconds=1)
            seconds = _around((v // second for v in named if isinstance(v, timedelta)), 0, 10**10)
            return [*candidates, *(timedelta(seconds=s) for s in seconds)]
        case FieldType.INTEGER:
            most = LARGEST_MINOR if field.most is None else field.most
            numbers = (v for v in named if isinstance(v, int))
            return [*candidates, *_around(numbers, field.least, most)]
        case _:
            return [*candidates, *(field.one_of or _OTHER_TEXT), *named]


def _values_of(leaf: Leaf) -> Sequence[Value]:
    return leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)


def _amounts_around(amounts: Sequence[Money]) -> list[Money]:
    minor_by_currency: dict[str, list[int]] = {_OTHER_CURRENCY: []}
    for amount in amounts:
        minor_by_currency.setdefault(amount.currency, []).append(amount.minor)
    return [
        Money(minor, currency)
        for currency, named in minor_by_currency.items()
        for minor in _around(named, 0, LARGEST_MINOR)
    ]


def _around(numbers: Iterable[int], least: int, most: int) -> list[int]:
    near = {least, most}
    for number in numbers:
        near |= {number - 1, number, number + 1}
    return sorted(number for number in near if least <= number <= most)
