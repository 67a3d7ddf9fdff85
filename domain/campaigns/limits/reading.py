"""Reading limits from JSON, and writing them back."""

from typing import Any, Final

from domain.campaigns.faults import TermsFaultError
from domain.campaigns.limits.decision import Limit, LimitOf, Over
from domain.campaigns.limits.periods import Per
from domain.campaigns.written import (
    check_keys,
    is_integer,
    read_money,
    read_object,
    read_word,
    write_money,
)
from domain.money import Money

MAX_LIMITS: Final = 20
MAX_REWARDS: Final = 10**9
_KEYS: Final = frozenset({"of", "per", "rewards", "amount", "over"})


def read_limits(written: object, path: str, *, currency: str) -> tuple[Limit, ...]:
    """Return the limits, or raise a TermsFaultError at the first field that is wrong."""
    if not isinstance(written, list) or len(written) > MAX_LIMITS:
        raise TermsFaultError(path, f"Must be a list of at most {MAX_LIMITS} limits")
    return tuple(_limit(one, f"{path}[{index}]", currency) for index, one in enumerate(written))


def write_limit(limit: Limit) -> dict[str, Any]:
    """Return the JSON that reads as this limit."""
    return {
        "of": limit.of.value,
        "per": limit.per.value,
        "rewards": limit.rewards,
        "amount": write_money(limit.amount) if limit.amount else None,
        "over": limit.over.value,
    }


def _limit(written: object, path: str, currency: str) -> Limit:
    fields = read_object(written, path)
    check_keys(fields, path, known=_KEYS)
    of = read_word(fields.get("of"), tuple(LimitOf), f"{path}.of")
    per = read_word(fields.get("per"), tuple(Per), f"{path}.per")
    over = read_word(fields.get("over", Over.DEFER), tuple(Over), f"{path}.over")
    rewards = _rewards(fields.get("rewards"), f"{path}.rewards")
    amount = _amount(fields.get("amount"), f"{path}.amount", currency)
    if rewards is None and amount is None:
        raise TermsFaultError(path, "Must have rewards, amount, or both")
    return Limit(of=LimitOf(of), per=Per(per), rewards=rewards, amount=amount, over=Over(over))


def _rewards(written: object, path: str) -> int | None:
    if written is None:
        return None
    if not is_integer(written) or not 1 <= int(str(written)) <= MAX_REWARDS:
        raise TermsFaultError(path, f"Must be a whole number from 1 to {MAX_REWARDS}")
    return int(str(written))


def _amount(written: object, path: str, currency: str) -> Money | None:
    if written is None:
        return None
    money = read_money(written, path)
    if money.currency != currency:
        raise TermsFaultError(f"{path}.currency", f"Must be the campaign's currency, {currency}")
    if not money.minor:
        raise TermsFaultError(f"{path}.minor", "Must be over 0")
    return money
