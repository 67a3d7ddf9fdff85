"""Tests of reading conditions: what is refused, by its path, and what prints back the same."""

import time
from typing import Any, Final

import pytest
from hypothesis import given

from domain.campaigns.conditions.reading import parse_condition, read_condition, write_condition
from domain.campaigns.conditions.tree import MAX_LISTED_VALUES, Condition
from domain.campaigns.faults import TermsFaultError
from tests.domain.campaigns.conditions.drawn import CONDITIONS

METHOD: Final = {"field": "deposit.method", "op": "not_in", "value": ["voucher"]}
LONGEST_REFUSAL_SECONDS: Final = 0.1
"""Bound of a refusal on a machine that is busy; it takes less than a millisecond."""


def _when(*nodes: object) -> dict[str, Any]:
    return {"all": list(nodes)}


def _fault(written: object) -> TermsFaultError:
    with pytest.raises(TermsFaultError) as raised:
        read_condition(written, "terms.when")
    return raised.value


@given(CONDITIONS)
def test_prints_back_what_it_reads(condition: Condition) -> None:
    written = write_condition(condition)
    assert parse_condition(written, "terms.when") == condition
    assert write_condition(parse_condition(written, "terms.when")) == written


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ([], ""),
        ({}, ""),
        ({"all": []}, ".all"),
        ({"any": {}}, ".any"),
        ({"all": [METHOD], "any": [METHOD]}, ""),
        ({"not": None}, ".not"),
        ({"xor": [METHOD]}, ""),
        (_when(METHOD, {**METHOD, "note": "x"}), ".all[1].note"),
        (_when({**METHOD, "field": "deposit.colour"}), ".all[0].field"),
        (_when({**METHOD, "field": ["deposit.method"]}), ".all[0].field"),
        (_when({**METHOD, "field": list(range(100_000))}), ".all[0].field"),
        (_when({**METHOD, "op": "matches"}), ".all[0].op"),
        (_when({**METHOD, "op": "lt"}), ".all[0].op"),
        (_when({**METHOD, "op": {}}), ".all[0].op"),
        (_when({"field": "deposit.method", "op": "eq"}), ".all[0].value"),
        (_when({**METHOD, "value": []}), ".all[0].value"),
        (_when({**METHOD, "value": ["card", 5]}), ".all[0].value[1]"),
        (_when({"field": "time.hour", "op": "eq", "value": 24}), ".all[0].value"),
        (_when({"field": "time.hour", "op": "eq", "value": True}), ".all[0].value"),
        (_when({"field": "time.hour", "op": "eq", "value": 3.0}), ".all[0].value"),
        (_when({"field": "referee.verified", "op": "eq", "value": 1}), ".all[0].value"),
        (_when({"field": "deposit.amount", "op": "lt", "value": 5}), ".all[0].value"),
        (
            _when(
                METHOD,
                {
                    "any": [
                        {
                            "field": "deposit.amount",
                            "op": "lt",
                            "value": {"minor": -1, "currency": "USD"},
                        }
                    ]
                },
            ),
            ".all[1].any[0].value.minor",
        ),
        (_when({"field": "referrer.account_age", "op": "lt", "value": "P1M"}), ".all[0].value"),
        (_when({"field": "referee.platform", "op": "eq", "value": "vr"}), ".all[0].value"),
        (_when({"field": "referee.jurisdiction", "op": "eq", "value": "us"}), ".all[0].value"),
        (_when({"field": "share.channel", "op": "exists", "value": "yes"}), ".all[0].value"),
        (_when({"field": "share.channel", "op": "eq", "value": "a\x00"}), ".all[0].value"),
    ],
)
def test_names_the_path_of_what_is_wrong(written: object, path: str) -> None:
    assert _fault(written).path == f"terms.when{path}"


@pytest.mark.parametrize(("written", "days"), [("P4W", 28), ("P1W2D", 9), ("P30D", 30)])
def test_reads_durations_in_weeks(written: str, days: int) -> None:
    leaf = {"field": "referrer.account_age", "op": "gte", "value": written}
    found = read_condition(leaf, "terms.when")
    assert write_condition(found)["value"] == f"P{days}D"


def test_counts_a_leaf_as_depth_one() -> None:
    tree: dict[str, Any] = METHOD
    for _ in range(7):
        tree = {"not": tree}
    read_condition({"not": {"not": METHOD}}, "terms.when")
    with pytest.raises(TermsFaultError, match="deeper than 8"):
        read_condition({"not": tree}, "terms.when")


def test_accepts_one_hundred_nodes_and_no_more() -> None:
    read_condition(_when(*[METHOD] * 99), "terms.when")
    assert _fault(_when(*[METHOD] * 100)).path == "terms.when.all[99]"


def _deep(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = METHOD
    for _ in range(depth):
        tree = {"all": [tree]}
    return tree


@pytest.mark.parametrize(
    "hostile",
    [
        _when(*[METHOD] * 10_000),
        _deep(500),
        _when({"any": [{"any": [METHOD] * 100}] * 100}),
        _when({**METHOD, "value": ["x"] * 500_000}),
        _when({**METHOD, "value": ["a" * 1_000_000]}),
        _when({"field": "a" * 1_000_000, "op": "eq", "value": 1}),
        _when({"field": "referrer.account_age", "op": "lt", "value": "P" + "9" * 100_000}),
    ],
)
def test_refuses_a_hostile_tree_in_milliseconds(hostile: dict[str, Any]) -> None:
    started = time.process_time()
    fault = _fault(hostile)
    assert time.process_time() - started < LONGEST_REFUSAL_SECONDS
    assert len(str(fault)) < 400


def test_takes_an_expression_as_plain_text() -> None:
    bomb = {"field": "deposit.method", "op": "eq", "value": "(a+)+$"}
    assert write_condition(read_condition(bomb, "terms.when")) == bomb


def test_reads_the_largest_lists_quickly() -> None:
    amounts = [{"minor": n, "currency": "USD"} for n in range(MAX_LISTED_VALUES)]
    listed = {"field": "deposit.amount", "op": "not_in", "value": amounts}
    others = [
        {"not": {"field": "deposit.amount", "op": "eq", "value": amounts[n]}} for n in range(40)
    ]
    started = time.process_time()
    read_condition(_when(listed, *others), "terms.when")
    assert time.process_time() - started < 10 * LONGEST_REFUSAL_SECONDS
