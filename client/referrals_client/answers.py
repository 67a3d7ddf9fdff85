"""What the service answers, as far as a sportsbook reads it; fields that come later are ignored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from referrals_client.money import Money
from referrals_client.outcomes import Ok, Outcome, Refused, Unavailable

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Who may have brought an app's new person; all None and 0 when nothing was found."""

    referral_token: str | None
    """For the signup's `referral_token`; when there is an `ask`, only after `confirm`."""
    code: str | None
    method: str | None
    confidence: float
    guaranteed: bool
    ask: str | None
    """What the person has to be asked first; only for a probabilistic match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    code: str | None
    confirmed: bool
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    outcome: str
    """`bound`, `rebound`, `known`, or `waiting` for the signup to be heard."""
    referral_id: str | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCode:
    code: str
    link: str
    player_id: str
    campaign: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Amounts per currency, only those that are not zero."""

    player_id: str
    available: tuple[Money, ...]
    held: tuple[Money, ...]
    owed: tuple[Money, ...]


def read(outcome: Outcome[Any], reader: Callable[[Mapping[str, Any]], _Answer]) -> Outcome[_Answer]:
    """The answer as a value; one that cannot be read counts as none."""
    if isinstance(outcome, (Refused, Unavailable)):
        return outcome
    try:
        return Ok(reader(outcome.value))
    except (KeyError, TypeError, ValueError, AttributeError):
        return Unavailable("unreadable answer")


def resolved(answer: Mapping[str, Any]) -> Resolved:
    return Resolved(
        referral_token=answer["referral_token"],
        code=answer["code"],
        method=answer["method"],
        confidence=float(answer["confidence"]),
        guaranteed=bool(answer["guaranteed"]),
        ask=answer.get("ask"),
    )


def confirmed(answer: Mapping[str, Any]) -> Confirmed:
    is_confirmed = bool(answer["confirmed"])
    return Confirmed(code=answer["code"], confirmed=is_confirmed, outcome=answer["outcome"])


def claimed(answer: Mapping[str, Any]) -> Claimed:
    return Claimed(
        outcome=answer["outcome"], referral_id=answer["referral_id"], code=answer["code"]
    )


def own_code(answer: Mapping[str, Any]) -> OwnCode:
    return OwnCode(
        code=answer["code"],
        link=answer["link"],
        player_id=answer["player_id"],
        campaign=answer["campaign"],
    )


def balance(answer: Mapping[str, Any]) -> Balance:
    return Balance(
        player_id=answer["player_id"],
        available=_amounts(answer["available"]),
        held=_amounts(answer["held"]),
        owed=_amounts(answer["owed"]),
    )


def _amounts(amounts: list[Mapping[str, Any]]) -> tuple[Money, ...]:
    return tuple(Money(int(amount["minor"]), str(amount["currency"])) for amount in amounts)
