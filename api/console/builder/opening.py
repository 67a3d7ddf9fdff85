"""A campaign's content as a form in progress."""

from datetime import UTC, datetime
from typing import Final

from api.console.builder.state import Node
from api.console.builder.texts import show_amount, show_span, show_value
from domain.campaigns.amounts.amount import Amount, ByJurisdiction, Flat, Percent, Tiered
from domain.campaigns.amounts.reading import write_amount
from domain.campaigns.conditions.fields import FIELDS
from domain.campaigns.conditions.tree import AllOf, AnyOf, Condition, Leaf, Not
from domain.campaigns.limits.decision import Limit
from domain.campaigns.rules import RewardType
from domain.campaigns.terms import Terms
from domain.campaigns.variants import terms_of_variant
from domain.money import RewardKind
from referrals.campaigns.views import Draft

WINDOWS: Final = {
    "signup_window": "Signup within",
    "deposit_window": "Deposit within",
    "hold_period": "Held for",
    "review_period": "Review within",
    "chargeback_window": "Chargebacks for",
}
"""Durations of terms, and how the form calls them."""


def open_form(draft: Draft) -> Node:
    """Return the fields of a draft; `when` is missing where there is no condition."""
    terms, rules, currency = draft.terms, draft.terms.rules, draft.budget.currency
    state: Node = {
        "slug": draft.slug,
        "currency": currency,
        "name": draft.name,
        "starts_at": _show_time(draft.starts_at),
        "ends_at": _show_time(draft.ends_at),
        "destination": draft.destination,
        "time_zone": draft.options.time_zone,
        "budget": show_amount(draft.budget, currency),
        "allow": ", ".join(draft.options.audience.allow),
        "deny": ", ".join(draft.options.audience.deny),
        "on": rules.on.value,
        "minimum": show_amount(terms.minimum_deposit, currency)
        if terms.minimum_deposit.minor
        else "",
        "turnover": show_amount(rules.turnover, currency),
        **{name: show_span(getattr(terms, name)) for name in WINDOWS},
        "rewards": _rewards(terms, currency),
        "variants": [
            {
                "name": variant.name,
                "weight": str(variant.weight),
                "rewards": _rewards(terms_of_variant(terms, variant), currency)
                if variant.promised
                else [],
            }
            for variant in draft.variants
        ],
        "limits": [_limit(limit, currency) for limit in rules.limits],
    }
    if rules.when is not None:
        state["when"] = _root(rules.when, currency)
    return state


def _show_time(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else ""


def _rewards(terms: Terms, currency: str) -> list[Node]:
    if terms.rules.rewards:
        return [
            {"to": rule.to.value, "kind": rule.kind.value, **_amount(rule.amount, currency)}
            for rule in terms.rules.rewards
        ]
    flat = {RewardType.REFERRER: terms.referrer_reward, RewardType.REFEREE: terms.referee_reward}
    return [
        {"to": to.value, "kind": RewardKind.CASH.value, **_amount(Flat(money), currency)}
        for to, money in flat.items()
        if money and money.minor
    ]


def _amount(amount: Amount, currency: str) -> Node:
    match amount:
        case Flat(money):
            return {"shape": "flat", "flat": show_amount(money, currency)}
        case Percent():
            return {
                "shape": "percent",
                "percent": write_amount(amount)["percent"],
                "minimum": show_amount(amount.minimum, currency),
                "maximum": show_amount(amount.maximum, currency),
            }
        case Tiered(tiers):
            found = [{"from": str(tier.first), **_amount(tier.amount, currency)} for tier in tiers]
            return {"shape": "tiers", "tiers": found}
        case ByJurisdiction(amounts):
            places = [{"code": code, **_amount(one, currency)} for code, one in amounts]
            return {"shape": "by_jurisdiction", "places": places}


def _root(condition: Condition, currency: str) -> Node:
    """Return a condition as a group: the form has no lonely leaf."""
    node = _node(condition, currency)
    return {"kind": "all", "children": [node]} if node["kind"] == "leaf" else node


def _node(condition: Condition, currency: str) -> Node:
    match condition:
        case Leaf():
            return {
                "kind": "leaf",
                "field": condition.field,
                "op": condition.op.value,
                "value": show_value(FIELDS.get(condition.field), condition.value, currency),
            }
        case AllOf(children):
            return {"kind": "all", "children": [_node(child, currency) for child in children]}
        case AnyOf(children):
            return {"kind": "any", "children": [_node(child, currency) for child in children]}
        case Not(AnyOf(children)):
            return {"kind": "none", "children": [_node(child, currency) for child in children]}
        case Not(child):
            return {"kind": "none", "children": [_node(child, currency)]}


def _limit(limit: Limit, currency: str) -> Node:
    return {
        "of": limit.of.value,
        "per": limit.per.value,
        "over": limit.over.value,
        "count": "" if limit.rewards is None else str(limit.rewards),
        "amount": show_amount(limit.amount, currency),
    }
