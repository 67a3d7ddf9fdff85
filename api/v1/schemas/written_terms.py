"""Rewards, qualifying action, conditions and limits of terms: read, or refused with a path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from api.http.errors import Problem, invalid_field
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.limits.reading import read_limits
from domain.campaigns.rules import NO_RULES, QualifyingAction, RewardType, Rules
from domain.campaigns.rules_json import read_rewards
from domain.campaigns.written import check_keys, read_money, read_object, read_word
from domain.money import Money, RewardKind

_REWARDS: Final = "terms.rewards"
_QUALIFIES: Final = "terms.qualifies"
_WHEN: Final = "terms.when"
_LIMITS: Final = "terms.limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRules:
    """Rules as they were written, and what the older fields of terms can say of them."""

    rules: Rules
    flat: Mapping[RewardType, Money]
    """Flat cash rewards, where no other is written: they are the terms' own."""
    minimum: Money | None
    """The minimum that `qualifies` names; None where it names none."""


def read_rules(
    *,
    rewards: object,
    qualifies: object,
    when: object,
    limits: object,
    currency: str,
    others: tuple[str, ...] = (),
) -> WrittenRules:
    """Return what was written, or raise 422 with the path of the first fault.

    `others` are the currencies of further budgets, in which sums of rewards may be stated, too.
    """
    try:
        rules, minimum = _rules(rewards, qualifies, when, limits, currency, others)
    except TermsFaultError as fault:
        raise _problem(fault) from fault
    return _written(rules, minimum)


def _problem(fault: TermsFaultError) -> Problem:
    return invalid_field(fault.path, fault.message)


def _rules(  # noqa: PLR0917 - each is a field of the terms
    rewards: object,
    qualifies: object,
    when: object,
    limits: object,
    currency: str,
    others: tuple[str, ...],
) -> tuple[Rules, Money | None]:
    rules, minimum = _qualifies(qualifies, currency)
    rules = replace(
        rules,
        rewards=()
        if rewards is None
        else read_rewards(rewards, _REWARDS, currency=currency, others=others),
        when=None if when is None else read_condition(when, _WHEN),
        limits=() if limits is None else read_limits(limits, _LIMITS, currency=currency),
        currencies=others,
    )
    if rewards is not None and not rules.rewards:
        raise TermsFaultError(_REWARDS, "Must be a list of at least one reward")
    return rules, minimum


def _written(rules: Rules, minimum: Money | None) -> WrittenRules:
    """Return flat cash as the terms' own; with several currencies it is computed as well."""
    flat = _flat_cash(rules)
    if rules.currencies or len(flat) < len(rules.rewards):
        return WrittenRules(rules=rules, flat={}, minimum=minimum)
    return WrittenRules(rules=replace(rules, rewards=()), flat=flat, minimum=minimum)


def _flat_cash(rules: Rules) -> dict[RewardType, Money]:
    return {
        rule.to: rule.amount.money
        for rule in rules.rewards
        if rule.kind is RewardKind.CASH and isinstance(rule.amount, Flat)
    }


def _qualifies(written: object, currency: str) -> tuple[Rules, Money | None]:
    """Return action and turnover, and the minimum; a minimum of null is none."""
    if written is None:
        return NO_RULES, None
    fields = read_object(written, _QUALIFIES)
    check_keys(fields, _QUALIFIES, known=frozenset({"on", "minimum", "turnover"}))
    action = QualifyingAction.ANY_DEPOSIT
    if "on" in fields:
        word = read_word(fields["on"], tuple(QualifyingAction), f"{_QUALIFIES}.on")
        action = QualifyingAction(word)
    minimum = _money_or_none(fields, "minimum", currency)
    if "minimum" in fields:
        minimum = minimum or Money(0, currency)
    turnover = _money_or_none(fields, "turnover", currency)
    return Rules(on=action, turnover=turnover if turnover and turnover.minor else None), minimum


def _money_or_none(fields: Mapping[str, Any], name: str, currency: str) -> Money | None:
    if fields.get(name) is None:
        return None
    path = f"{_QUALIFIES}.{name}"
    money = read_money(fields[name], path)
    if money.currency != currency:
        raise TermsFaultError(f"{path}.currency", "Must be the same as budget.currency")
    return money
