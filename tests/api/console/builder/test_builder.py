"""The builder's form: it opens a version, is edited, and says the version again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.console.builder.edits import complete, edit
from api.console.builder.opening import open_form
from api.console.builder.proposing import read_proposal
from api.console.builder.state import Node, nest
from api.console.builder.texts import TextFaultError, read_amount, show_amount, show_span
from domain.attribution.policy import DEFAULT_POLICY
from domain.campaigns.conditions.reading import parse_condition
from domain.campaigns.conditions.tree import AllOf
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.options import CampaignOptions
from domain.campaigns.rules import Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.terms import LinkOptions, Terms
from domain.money import Money
from referrals.campaigns.views import Draft
from tests.builders import TERMS


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


WHEN = {
    "all": [
        {"field": "deposit.method", "op": "not_in", "value": ["voucher", "cash"]},
        {
            "any": [
                {"field": "referee.jurisdiction", "op": "eq", "value": "US-NJ"},
                {"not": {"field": "deposit.amount", "op": "lt", "value": usd(2550)}},
                {"not": {"any": [{"field": "referrer.verified", "op": "eq", "value": False},
                                 {"field": "time.weekday", "op": "in", "value": [6, 7]}]}},
            ]
        },
        {"field": "referrer.account_age", "op": "gte", "value": "P30D"},
        {"field": "share.channel", "op": "exists", "value": True},
    ]
}  # fmt: skip
REWARDS = [
    {"to": "referrer", "kind": "cash",
     "amount": {"tiers": [{"from": 1, "flat": usd(1000)},
                          {"from": 5, "percent": "12.5", "minimum": usd(500), "maximum": None}]}},
    {"to": "referee", "kind": "bonus_bet",
     "amount": {"by_jurisdiction": {"US-NJ": {"flat": usd(900)}, "*": {"flat": usd(50)}}}},
]  # fmt: skip
LIMITS = [
    {"of": "referrer", "per": "month", "rewards": 10, "amount": None, "over": "defer"},
    {"of": "campaign", "per": "day", "rewards": None, "amount": usd(100_000), "over": "refuse"},
]
PLAIN = replace(TERMS, minimum_deposit=Money(1000, "USD"), referrer_reward=Money(1000, "USD"))


def full_rules() -> Rules:
    return Rules(
        rewards=read_rewards(REWARDS, "rewards", currency="USD"),
        turnover=Money(5000, "USD"),
        when=parse_condition(WHEN, "when"),
        limits=read_limits(LIMITS, "limits", currency="USD"),
    )


def draft(terms: Terms = PLAIN) -> Draft:
    return Draft(
        slug="spring",
        name="Spring",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
        destination="https://book.example/signup",
        budget=Money(500_000, "USD"),
        terms=terms,
        attribution=DEFAULT_POLICY,
        link=LinkOptions(),
    )


def full_draft() -> Draft:
    return draft(replace(PLAIN, referrer_reward=Money(0, "USD"), rules=full_rules()))


def flat(node: Node, prefix: str = "") -> dict[str, str]:
    """Return a form in progress as a browser sends it."""
    found: dict[str, str] = {}
    for name, value in node.items():
        if isinstance(value, list):
            for nth, one in enumerate(value):
                found |= flat(one, f"{prefix}{name}.{nth}.")
        elif isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def draft_of_several_currencies() -> Draft:
    """Return an offer with sums in currencies of further budgets, one without decimals."""
    amounts = {"JP": {"flat": {"minor": 1000, "currency": "JPY"}}, "*": {"flat": usd(1000)}}
    bounds = {"minimum": None, "maximum": {"minor": 5000, "currency": "EUR"}}
    rewards = [
        {"to": "referrer", "kind": "cash", "amount": {"by_jurisdiction": amounts}},
        {"to": "referee", "kind": "cash", "amount": {"percent": "10", **bounds}},
    ]
    when = {"field": "deposit.amount", "op": "gte", "value": {"minor": 2000, "currency": "EUR"}}
    others = ("JPY", "EUR")
    rules = Rules(
        rewards=read_rewards(rewards, "rewards", currency="USD", others=others),
        when=AllOf((parse_condition(when, "when"),)),
        currencies=others,
    )
    base = draft(replace(PLAIN, referrer_reward=Money(0, "USD"), rules=rules))
    budgets = tuple(Money(700_000, currency) for currency in others)
    return replace(base, options=CampaignOptions(currencies=budgets))


def flat_draft_of_several_currencies() -> Draft:
    """Return an offer of flat cash, which is paid in the currency of its deposit."""
    base = draft_of_several_currencies()
    rewards = [{"to": "referrer", "kind": "cash", "amount": {"flat": usd(1000)}}]
    rules = Rules(
        rewards=read_rewards(rewards, "rewards", currency="USD"), currencies=("JPY", "EUR")
    )
    return replace(base, terms=replace(base.terms, rules=rules))


def draft_of_odd_texts() -> Draft:
    when = {"field": "deposit.method", "op": "in", "value": ["visa, debit", 'a "card"', "cash"]}
    rules = Rules(when=AllOf((parse_condition(when, "when"),)))
    return draft(replace(PLAIN, rules=rules))


@pytest.mark.parametrize(
    "base",
    [
        draft(),
        full_draft(),
        draft_of_several_currencies(),
        flat_draft_of_several_currencies(),
        draft_of_odd_texts(),
    ],
    ids=["plain", "full", "currencies", "flat in currencies", "odd texts"],
)
def test_a_form_that_nobody_touched_says_the_version_that_it_opened(base: Draft) -> None:
    state = nest(flat(open_form(base)))

    proposal = read_proposal(state, base)

    assert proposal.errors == {}
    assert proposal.draft == base


def test_what_the_form_has_no_field_for_stays() -> None:
    base = draft(replace(PLAIN, requires=("email",), lateness_grace=timedelta(hours=7)))
    state = open_form(base) | {"name": "Another"}

    changed = read_proposal(state, base).draft

    assert changed == replace(base, name="Another")


@pytest.mark.parametrize(
    ("name", "typed", "field"),
    [
        ("name", "", "name"),
        ("ends_at", "2025-01-01T00:00", "ends_at"),
        ("ends_at", "soon", "ends_at"),
        ("hold_period", "a while", "hold_period"),
        ("minimum", "12.345", "minimum"),
        ("minimum", "-1", "minimum"),
        ("on", "no_deposit", "on"),
        ("rewards.0.to", "nobody", "rewards.0.to"),
        ("rewards.0.tiers.0.from", "2", "rewards.0.tiers.0.from"),
        ("rewards.0.tiers.0.flat", "0", "rewards.0.tiers.0.flat"),
        ("rewards.0.tiers.1.percent", "101", "rewards.0.tiers.1.percent"),
        ("rewards.1.places.0.code", "New Jersey", "rewards.1.places.0.code"),
        ("rewards.1.places.1.code", "US-NJ", "rewards.1.places.1.code"),
        ("rewards.1.places.0.flat", "x", "rewards.1.places.0.flat"),
        ("limits.0.count", "0", "limits.0.count"),
        ("limits.0.per", "moon", "limits.0.per"),
        ("limits.1.amount", "", "limits.1.count"),
        ("when.children.0.field", "nothing", "when.children.0.field"),
        ("when.children.0.op", "gt", "when.children.0.op"),
        ("when.children.1.children.0.value", "Jersey", "when.children.1.children.0.value"),
        (
            "when.children.1.children.1.children.0.value",
            "much",
            "when.children.1.children.1.children.0.value",
        ),
        (
            "when.children.1.children.2.children.1.value",
            "6, 9",
            "when.children.1.children.2.children.1.value",
        ),
        ("when.children.2.value", "long", "when.children.2.value"),
    ],
)
def test_a_refusal_stands_beside_the_field_that_it_is_about(
    name: str, typed: str, field: str
) -> None:
    base = full_draft()
    state = nest(flat(open_form(base)) | {name: typed})

    proposal = read_proposal(state, base)

    assert proposal.draft is None
    assert list(proposal.errors) == [field]


def test_buttons_add_and_remove_parts() -> None:
    state = open_form(draft())

    for act in ("condition", "group when", "leaf when.children.1", "add limits", "add rewards"):
        edit(state, act)
    assert len(state["when"]["children"][1]["children"]) == 2
    assert (len(state["limits"]), len(state["rewards"])) == (1, 2)

    edit(state, "remove when.children.0")
    assert [child["kind"] for child in state["when"]["children"]] == ["any"]
    edit(state, "remove when.children.0.children.1")
    edit(state, "remove when.children.0.children.0")
    assert "when" not in state


def test_a_shape_that_is_chosen_has_a_first_item() -> None:
    state = nest(flat(open_form(draft())) | {"rewards.0.shape": "tiers"})

    complete(state)

    assert state["rewards"][0]["tiers"] == [{"from": "1", "shape": "flat", "flat": ""}]


def test_a_field_that_is_chosen_anew_has_an_operator_of_its_own() -> None:
    state = open_form(draft())
    edit(state, "condition")
    state["when"]["children"][0]["field"] = "referee.verified"

    complete(state)

    assert state["when"]["children"][0] == {
        "kind": "leaf", "field": "referee.verified", "op": "eq", "value": "true",
    }  # fmt: skip


@pytest.mark.parametrize(
    "act",
    ["", "remove", "remove nothing", "remove when.9", "leaf name", "add name",
     "add rewards.7.tiers", "explode when", "remove rewards.x", "group limits"],
)  # fmt: skip
def test_an_edit_of_what_is_not_there_changes_nothing(act: str) -> None:
    state = open_form(full_draft())

    edit(state, act)

    assert state == open_form(full_draft())


def test_odd_names_of_fields_make_no_form_that_cannot_be_read() -> None:
    odd = {"rewards": "x", "rewards.0.to": "referrer", "when.children.999999999.kind": "leaf"}
    odd |= {"when.kind.deeper": "1", ".": "", "a" + ".b" * 200: "x", "limits.0": "5", "when": "all"}

    state = nest(odd)
    complete(state)

    assert read_proposal(state, draft()).draft is None
    assert {type(one) for one in state.get("limits", [])} <= {dict}


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [("25", "USD", 2500), ("1,000.50", "USD", 100_050), ("7", "JPY", 7), ("1.234", "KWD", 1234)],
)
def test_amounts_are_typed_in_major_units(typed: str, currency: str, minor: int) -> None:
    assert read_amount(typed, currency) == {"minor": minor, "currency": currency}


def test_an_amount_in_another_currency_is_typed_with_its_code() -> None:
    assert read_amount("7 jpy", "USD") == {"minor": 7, "currency": "JPY"}
    state = open_form(draft()) | {"minimum": "9 EUR"}

    assert list(read_proposal(state, draft()).errors) == ["minimum"]


@pytest.mark.parametrize("typed", ["1.5", "", "1e3", "\N{ARABIC-INDIC DIGIT ONE}", "NaN", "9" * 16])
def test_an_amount_that_is_not_whole_minor_units_is_refused(typed: str) -> None:
    with pytest.raises(TextFaultError):
        read_amount(typed, "JPY")


def test_amounts_and_durations_are_shown_as_they_are_typed() -> None:
    assert show_amount(Money(1050, "USD"), "USD") == "10.50"
    assert show_amount(Money(7, "JPY"), "JPY") == "7"
    assert show_amount(Money(7, "JPY"), "USD") == "7 JPY"
    assert show_span(timedelta(days=30)) == "30 days"
    assert show_span(timedelta(hours=36)) == "36 hours"
