"""Tests of evaluation: unknown values, other currencies, and the trace."""

import json
import time
from datetime import timedelta

import pytest
from hypothesis import given

from domain.attribution.policy import Method
from domain.campaigns.conditions.evaluation import (
    Judged,
    did_hold,
    evaluate,
    leaf_holds,
    read_judged,
    write_judged,
)
from domain.campaigns.conditions.fields import ATTRIBUTION_METHODS, FIELDS, Operator, Value
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not
from domain.money import Money
from tests.domain.campaigns.conditions.drawn import CONDITIONS, known_values


@pytest.mark.parametrize(
    ("op", "holds"),
    [
        (Operator.EQ, False),
        (Operator.NE, True),
        (Operator.IN, False),
        (Operator.NOT_IN, True),
        (Operator.GT, False),
        (Operator.GTE, False),
        (Operator.LT, False),
        (Operator.LTE, False),
    ],
)
@pytest.mark.parametrize("value", [None, Money(5, "EUR")])
def test_an_unknown_value_and_another_currency_meet_nothing_but_what_excludes(
    op: Operator, value: Money | None, *, holds: bool
) -> None:
    bound = Money(5, "USD")
    listing = op in {Operator.IN, Operator.NOT_IN}
    leaf = Leaf("turnover.total", op, (bound,) if listing else bound)
    assert leaf_holds(leaf, value) is holds


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_exists_asks_whether_a_value_is_known(*, known: bool, asked: bool) -> None:
    leaf = Leaf("referee.verified", Operator.EXISTS, asked)
    assert leaf_holds(leaf, False if known else None) is (known is asked)


@pytest.mark.parametrize(
    ("field", "named", "told"),
    [
        ("referee.jurisdiction", "US-NJ", "us_nj"),
        ("referrer.jurisdiction", "UK", "gb"),
        ("deposit.jurisdiction", "GR", " EL "),
        ("deposit.method", "voucher", "Voucher "),
        ("deposit.method", "PayPal", "paypal"),
        ("referee.platform", "ios", "iOS"),
        ("share.channel", "whatsapp", "WhatsApp"),
    ],
)
def test_compares_jurisdictions_and_texts_in_one_spelling(
    field: str, named: str, told: str
) -> None:
    assert leaf_holds(Leaf(field, Operator.EQ, named), told)
    assert leaf_holds(Leaf(field, Operator.IN, ("else", named)), told)
    assert not leaf_holds(Leaf(field, Operator.NE, named), told)
    assert not leaf_holds(Leaf(field, Operator.NOT_IN, (named,)), told)


def test_a_trace_has_the_value_as_it_was_told() -> None:
    leaf = Leaf("referee.jurisdiction", Operator.EQ, "US-NJ")
    (judged,) = evaluate(leaf, {"referee.jurisdiction": "us_nj"}).trace
    assert (judged.value, judged.holds) == ("us_nj", True)
    assert read_judged(write_judged(judged)) == judged


def test_compares_durations_exactly() -> None:
    leaf = Leaf("referrer.account_age", Operator.GTE, timedelta(days=30))
    assert leaf_holds(leaf, timedelta(days=30))
    assert not leaf_holds(leaf, timedelta(days=30) - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deposit.amount", Money(2500, "JPY")),
        ("referrer.account_age", timedelta(days=3, seconds=1)),
        ("referee.verified", True),
        ("deposits.count", 3),
        ("deposit.method", "card"),
        ("referee.platform", None),
        ("deposit.method", "x" * 100),
        ("a.field.of.later", "text"),
    ],
)
def test_what_is_stored_of_a_judgement_is_read_back(field: str, value: Value | None) -> None:
    judged = Judged(path="terms.when", field=field, value=value, holds=True)
    assert read_judged(json.loads(json.dumps(write_judged(judged)))) == judged


def test_traces_every_leaf_with_its_path_and_value() -> None:
    tree = AllOf(
        (
            Leaf("deposit.method", Operator.NOT_IN, ("voucher",)),
            AnyOf(
                (
                    Leaf("referee.jurisdiction", Operator.EQ, "US-NJ"),
                    Not(Leaf("deposit.amount", Operator.LT, Money(2500, "USD"))),
                )
            ),
        )
    )
    judged = evaluate(tree, {"deposit.method": "voucher", "deposit.amount": Money(3000, "USD")})
    assert not judged.holds
    assert [(j.path, j.value, j.holds) for j in judged.trace] == [
        ("terms.when.all[0]", "voucher", False),
        ("terms.when.all[1].any[0]", None, False),
        ("terms.when.all[1].any[1].not", Money(3000, "USD"), False),
    ]


@given(CONDITIONS, known_values())
def test_a_negation_holds_exactly_where_its_condition_does_not(
    condition: Condition, known: dict[str, Value | None]
) -> None:
    assert evaluate(Not(condition), known).holds is not evaluate(condition, known).holds


@given(CONDITIONS, known_values())
def test_all_and_any_are_each_others_negation(
    condition: Condition, known: dict[str, Value | None]
) -> None:
    other = Leaf("time.hour", Operator.GTE, 12)
    either = AnyOf((condition, other))
    neither = AllOf((Not(condition), Not(other)))
    assert evaluate(either, known).holds is not evaluate(neither, known).holds


@given(CONDITIONS, known_values())
def test_a_condition_held_by_its_trace_exactly_where_it_held(
    condition: Condition, known: dict[str, Value | None]
) -> None:
    judged = evaluate(condition, known)
    assert did_hold(condition, {one.path for one in judged.trace if one.holds}) is judged.holds


def test_judges_the_largest_tree_in_far_less_than_a_millisecond() -> None:
    leaf = Leaf("deposit.amount", Operator.LT, Money(2500, "USD"))
    tree = AllOf((leaf,) * 99)
    known = {"deposit.amount": Money(5, "USD")}
    started = time.process_time()
    for _ in range(20):
        evaluate(tree, known)
    assert (time.process_time() - started) / 20 < 0.005


def test_every_field_has_a_description_and_operators() -> None:
    for name, field in FIELDS.items():
        assert field.name == name
        assert field.description
        assert Operator.EXISTS in field.operators


def test_conditions_name_every_method_of_attribution() -> None:
    assert tuple(Method) == ATTRIBUTION_METHODS
