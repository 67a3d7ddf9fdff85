"""Rules of terms as JSON, in the form in which the API takes them."""

from collections.abc import Mapping
from typing import Any

from domain.campaigns.amounts.reading import read_amount, write_amount
from domain.campaigns.conditions.reading import parse_condition, write_condition
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.limits.reading import read_limits, write_limit
from domain.campaigns.rules import QualifyingAction, RewardRule, RewardType, Rules
from domain.campaigns.written import check_keys, read_money, read_object, read_word, write_money
from domain.money import RewardKind

MAX_REWARDS = len(RewardType) * len(RewardKind)


def write_rules(rules: Rules) -> dict[str, Any]:
    """Return the JSON that `parse_rules` reads as these rules, without any rate tables."""
    several = {"currencies": list(rules.currencies)} if rules.currencies else {}
    return {
        "rewards": [write_reward(rule) for rule in rules.rewards],
        "on": rules.on.value,
        "turnover": write_money(rules.turnover) if rules.turnover else None,
        "when": write_condition(rules.when) if rules.when else None,
        "limits": [write_limit(limit) for limit in rules.limits],
        **several,
    }


def parse_rules(stored: Mapping[str, Any], *, currency: str) -> Rules:
    """Return stored rules; a TermsFaultError, which is a ValueError, for what cannot be read."""
    turnover, when = stored["turnover"], stored["when"]
    others = tuple(stored.get("currencies", ()))
    return Rules(
        rewards=read_rewards(stored["rewards"], "rewards", currency=currency, others=others),
        on=QualifyingAction(stored["on"]),
        turnover=read_money(turnover, "turnover") if turnover else None,
        when=parse_condition(when, "when") if when else None,
        limits=read_limits(stored["limits"], "limits", currency=currency),
        currencies=others,
    )


def write_reward(rule: RewardRule) -> dict[str, Any]:
    return {"to": rule.to.value, "kind": rule.kind.value, "amount": write_amount(rule.amount)}


def read_rewards(
    written: object, path: str, *, currency: str, others: tuple[str, ...] = ()
) -> tuple[RewardRule, ...]:
    """Return the rewards, one of each kind to each side, or raise a TermsFaultError.

    Their sums may be in the campaign's own currency and in the others that it has a budget in.
    """
    if not isinstance(written, list):
        raise TermsFaultError(path, "Must be a list of rewards")
    if len(written) > MAX_REWARDS:
        raise TermsFaultError(path, f"Must have at most {MAX_REWARDS} rewards")
    rules: list[RewardRule] = []
    for index, one in enumerate(written):
        rule = _read_reward(one, f"{path}[{index}]", currency, others)
        if any(rule.key == other.key for other in rules):
            raise TermsFaultError(f"{path}[{index}].to", "Must have one reward of each kind")
        rules.append(rule)
    return tuple(rules)


def _read_reward(written: object, path: str, currency: str, others: tuple[str, ...]) -> RewardRule:
    fields = read_object(written, path)
    check_keys(fields, path, known=frozenset({"to", "kind", "amount"}))
    to = read_word(fields.get("to"), tuple(RewardType), f"{path}.to")
    kind = read_word(fields.get("kind", RewardKind.CASH), tuple(RewardKind), f"{path}.kind")
    amount = read_amount(fields.get("amount"), f"{path}.amount", currency=currency, others=others)
    return RewardRule(to=RewardType(to), kind=RewardKind(kind), amount=amount)
