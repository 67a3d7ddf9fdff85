"""Rewards, qualifying action and conditions of terms: read, and refused where none is paid yet."""

from collections.abc import Mapping
from typing import Any, Final

from api.http.errors import Problem, invalid_field
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.amounts.reading import read_amount
from domain.campaigns.conditions.reading import read_condition
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.written import check_keys, read_money, read_object
from domain.money import Money
from domain.rewards.reward import RewardType

KINDS: Final = ("cash", "bonus_bet")
ACTIONS: Final = ("any_deposit", "first_deposit", "total_deposits")
_REWARDS: Final = "terms.rewards"
_QUALIFIES: Final = "terms.qualifies"
_WHEN: Final = "terms.when"


def read_rewards(written: object, *, currency: str) -> dict[RewardType, Money]:
    """Return the amount of each side, one of them the referrer's, or raise 422 with the path."""
    try:
        amounts = _rewards(written, currency)
    except TermsFaultError as fault:
        raise _problem(fault) from fault
    if RewardType.REFERRER not in amounts:
        raise invalid_field(_REWARDS, "Must have a reward to the referrer")
    return amounts


def read_minimum(written: object, *, currency: str, default: Money) -> Money:
    """Return the minimum of the qualifying deposit, or raise 422 with the path.

    A minimum of null is none; one that is not given is the default.
    """
    try:
        return _minimum(written, currency, default)
    except TermsFaultError as fault:
        raise _problem(fault) from fault


def refuse_condition(written: object) -> None:
    """Raise 422: at what is wrong with a condition, else at the condition itself."""
    try:
        read_condition(written, _WHEN)
    except TermsFaultError as fault:
        raise _problem(fault) from fault
    raise invalid_field(_WHEN, "Is valid, but conditions are not supported yet")


def _problem(fault: TermsFaultError) -> Problem:
    return invalid_field(fault.path, fault.message)


def _rewards(written: object, currency: str) -> dict[RewardType, Money]:
    if not isinstance(written, list) or not written:
        raise TermsFaultError(_REWARDS, "Must be a list of at least one reward")
    amounts: dict[RewardType, Money] = {}
    for index, one in enumerate(written):
        path = f"{_REWARDS}[{index}]"
        to, amount = _reward(one, path, currency)
        if to in amounts:
            raise TermsFaultError(f"{path}.to", "Must have one reward of each kind")
        amounts[to] = amount
    return amounts


def _reward(written: object, path: str, currency: str) -> tuple[RewardType, Money]:
    fields = read_object(written, path)
    check_keys(fields, path, known=frozenset({"to", "kind", "amount"}))
    to = _one_of(fields.get("to"), tuple(RewardType), f"{path}.to")
    kind = _one_of(fields.get("kind", "cash"), KINDS, f"{path}.kind")
    amount = read_amount(fields.get("amount"), f"{path}.amount", currency=currency)
    if kind != "cash":
        raise TermsFaultError(f"{path}.kind", "Must be cash: bonus bets are not supported yet")
    if not isinstance(amount, Flat):
        raise TermsFaultError(f"{path}.amount", "Must be flat: others are not supported yet")
    return RewardType(to), amount.money


def _minimum(written: object, currency: str, default: Money) -> Money:
    fields = read_object(written, _QUALIFIES)
    check_keys(fields, _QUALIFIES, known=frozenset({"on", "minimum", "turnover"}))
    action = _one_of(fields.get("on", ACTIONS[0]), ACTIONS, f"{_QUALIFIES}.on")
    minimum = _money_or_none(fields, "minimum", currency)
    turnover = _money_or_none(fields, "turnover", currency)
    if action != ACTIONS[0]:
        raise TermsFaultError(
            f"{_QUALIFIES}.on", "Must be any_deposit: others are not supported yet"
        )
    if turnover is not None:
        raise TermsFaultError(f"{_QUALIFIES}.turnover", "Must be null: not supported yet")
    if "minimum" not in fields:
        return default
    return minimum or Money(0, currency)


def _money_or_none(fields: Mapping[str, Any], name: str, currency: str) -> Money | None:
    if fields.get(name) is None:
        return None
    path = f"{_QUALIFIES}.{name}"
    money = read_money(fields[name], path)
    if money.currency != currency:
        raise TermsFaultError(f"{path}.currency", "Must be the same as budget.currency")
    return money


def _one_of(written: object, values: tuple[str, ...], path: str) -> str:
    if not isinstance(written, str) or written not in values:
        raise TermsFaultError(path, f"Must be one of {', '.join(values)}")
    return written
