"""Typed answers of the service. Unknown fields are ignored, so a newer service may add some."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from referrals_client.money import Money
from referrals_client.outcomes import UNREADABLE_ANSWER, Ok, Outcome, Refused, Unavailable

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The invitation behind a first open; all None and 0 when nothing was found."""

    referral_token: str | None
    """Send it as the signup's `referral_token`; when there is an `ask`, only after `confirm`."""
    code: str | None
    method: str | None
    confidence: float
    guaranteed: bool
    ask: str | None
    """Question to show the person first; set only for a probabilistic match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A recorded answer to an `ask`."""

    code: str | None
    confirmed: bool
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An accepted claim of a code."""

    outcome: str
    """`bound`, `rebound`, `known`, or `waiting` until the signup is reported."""
    referral_id: str | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCode:
    """A player's code in one campaign, and the link to share."""

    code: str
    link: str
    player_id: str
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BonusBalance:
    """A player's balances of bonus bets, which are never spent as cash."""

    available: tuple[Money, ...] = ()
    held: tuple[Money, ...] = ()
    owed: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A player's balances, one amount per currency; zero amounts are left out."""

    player_id: str
    available: tuple[Money, ...]
    held: tuple[Money, ...]
    owed: tuple[Money, ...]
    bonus: BonusBalance = BonusBalance()
    """Bonus bets, apart from the cash above; empty where an older service names none."""


def parse_outcome(
    outcome: Outcome[Any], parse: Callable[[Mapping[str, Any]], _Answer]
) -> Outcome[_Answer]:
    """Parse the value of an Ok; an unreadable answer becomes Unavailable."""
    if isinstance(outcome, (Refused, Unavailable)):
        return outcome
    try:
        return Ok(parse(outcome.value))
    except (KeyError, TypeError, ValueError, AttributeError):
        return UNREADABLE_ANSWER


def parse_resolved(answer: Mapping[str, Any]) -> Resolved:
    return Resolved(
        referral_token=answer["referral_token"],
        code=answer["code"],
        method=answer["method"],
        confidence=float(answer["confidence"]),
        guaranteed=bool(answer["guaranteed"]),
        ask=answer.get("ask"),
    )


def parse_confirmed(answer: Mapping[str, Any]) -> Confirmed:
    is_confirmed = bool(answer["confirmed"])
    return Confirmed(code=answer["code"], confirmed=is_confirmed, outcome=answer["outcome"])


def parse_claimed(answer: Mapping[str, Any]) -> Claimed:
    return Claimed(
        outcome=answer["outcome"], referral_id=answer["referral_id"], code=answer["code"]
    )


def parse_own_code(answer: Mapping[str, Any]) -> OwnCode:
    return OwnCode(
        code=answer["code"],
        link=answer["link"],
        player_id=answer["player_id"],
        campaign=answer["campaign"],
    )


def parse_balance(answer: Mapping[str, Any]) -> Balance:
    return Balance(
        player_id=answer["player_id"],
        available=_parse_amounts(answer["available"]),
        held=_parse_amounts(answer["held"]),
        owed=_parse_amounts(answer["owed"]),
        bonus=_parse_bonus(answer.get("bonus") or {}),
    )


def _parse_bonus(bonus: Mapping[str, Any]) -> BonusBalance:
    return BonusBalance(
        **{name: _parse_amounts(bonus.get(name, [])) for name in ("available", "held", "owed")}
    )


def _parse_amounts(amounts: list[Mapping[str, Any]]) -> tuple[Money, ...]:
    return tuple(Money(int(amount["minor"]), str(amount["currency"])) for amount in amounts)
