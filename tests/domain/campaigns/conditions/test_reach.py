"""Tests of contradictions: conditions that can never be met."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.conditions.evaluation import leaf_holds
from domain.campaigns.conditions.fields import Value
from domain.campaigns.conditions.reach import check_reachable
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.conditions.tree import AllOf, Leaf, Not
from domain.campaigns.faults import TermsFaultError
from tests.domain.campaigns.conditions.drawn import LEAVES, known_values

_KNOWN: Final = True


def _leaf(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def _usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (_leaf("deposit.amount", "lt", _usd(0)), ""),
        (_leaf("time.weekday", "gt", 7), ""),
        (_leaf("time.hour", "exists", not _KNOWN), ""),
        (
            {
                "all": [
                    _leaf("deposit.amount", "gte", _usd(500)),
                    _leaf("deposit.amount", "lt", _usd(500)),
                ]
            },
            ".all[1]",
        ),
        (
            {
                "all": [
                    _leaf("deposit.amount", "gte", _usd(500)),
                    _leaf("deposit.amount", "gte", {"minor": 1, "currency": "EUR"}),
                ]
            },
            ".all[1]",
        ),
        (
            {
                "all": [
                    _leaf("deposit.method", "in", ["card", "bank"]),
                    _leaf("deposit.method", "not_in", ["bank", "card"]),
                ]
            },
            ".all[1]",
        ),
        (
            {
                "all": [
                    _leaf("referee.jurisdiction", "eq", "US-NJ"),
                    {"any": [_leaf("referee.jurisdiction", "eq", "US-NY")]},
                ]
            },
            ".all[1].any[0]",
        ),
        (
            {
                "all": [
                    {"not": _leaf("referee.verified", "exists", _KNOWN)},
                    _leaf("referee.verified", "eq", _KNOWN),
                ]
            },
            ".all[1]",
        ),
        (
            {
                "not": {
                    "any": [
                        _leaf("time.hour", "lt", 12),
                        _leaf("time.hour", "gte", 12),
                    ]
                }
            },
            ".not.any[1]",
        ),
    ],
)
def test_names_what_can_never_be_met(written: dict[str, Any], path: str) -> None:
    with pytest.raises(TermsFaultError, match="never") as raised:
        read_condition(written, "terms.when")
    assert raised.value.path == f"terms.when{path}"


def test_an_unknown_value_is_enough_for_what_is_not_equal() -> None:
    read_condition(
        {
            "all": [
                _leaf("deposit.method", "exists", not _KNOWN),
                _leaf("deposit.method", "ne", "card"),
                {"not": _leaf("deposit.method", "eq", "card")},
            ]
        },
        "terms.when",
    )


@given(st.lists(LEAVES, min_size=1, max_size=6), known_values())
def test_never_refuses_leaves_that_some_values_meet_together(
    leaves: list[Leaf], known: dict[str, Value | None]
) -> None:
    met = [leaf for leaf in leaves if leaf_holds(leaf, known[leaf.field])]
    unmet = [Not(leaf) for leaf in leaves if leaf not in met]
    check_reachable(AllOf((*met, *unmet)), "terms.when")
