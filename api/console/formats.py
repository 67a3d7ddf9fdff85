"""Formats of the console: money, times, and words for what the database calls otherwise."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from babel.dates import format_timedelta

from domain.money import Amount, Money, RewardKind
from referrals.localisation.formats import Sum, format_duration, format_money

NOTHING: Final = "\N{EN DASH}"
_TONES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("REWARDED", "SETTLED", "ISSUED", "published", "approve", "pass", "delivered", "enabled",
         "posted", "won", "hit_none", "handed_on", "on", "yes", "qualifies"), "good"),
    **dict.fromkeys(
        ("HELD", "DEFERRED", "open", "claimed", "review", "paused", "pending", "extend"), "wait"),
    **dict.fromkeys(
        ("REJECTED", "REVERSED", "VOIDED", "VOID", "block", "reject", "failed", "disabled",
         "refused", "UNFUNDED", "hit", "error", "off", "no",
         "not_qualified"), "bad"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class BonusBets:
    """An amount in bonus bets, which is shown apart from cash."""

    minor: int
    currency: str


def of_kind(amount: Money, kind: RewardKind) -> Amount:
    """Return an amount that is shown with the balance it is credited to."""
    if kind is RewardKind.CASH:
        return amount
    return BonusBets(amount.minor, amount.currency)


def show_money(amount: Amount | None) -> str:
    """Format an amount, which may be negative or beyond `Money` where it is a sum of movements."""
    if amount is None:
        return NOTHING
    text = format_money(Sum(abs(amount.minor), amount.currency), cents="always")
    if isinstance(amount, BonusBets):
        text = f"{text} in bonus bets"
    return f"\N{MINUS SIGN}{text}" if amount.minor < 0 else text


def show_sums(amounts: Iterable[Amount]) -> str:
    return " + ".join(map(show_money, amounts)) or NOTHING


def show_time(at: datetime | None) -> str:
    """Format as 2026-03-01 12:00:00, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else NOTHING


def show_age(at: datetime | None, now: datetime) -> str:
    """Format how long ago a moment was, or how far ahead it lies: 3 hours ago, in 2 days."""
    if at is None:
        return NOTHING
    text: str = format_timedelta(at - now, add_direction=True, locale="en_US")
    return text


def show_seconds(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    text: str = format_timedelta(timedelta(seconds=seconds), threshold=1.5, locale="en_US")
    return text


def show_word(word: object) -> str:
    """Return a stable word as people write it: `hold_period` as hold period."""
    return NOTHING if word is None else str(word).replace("_", " ").lower()


def tone_of(word: object) -> str:
    return _TONES.get(str(word), "plain")


def show_share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else NOTHING


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "money": show_money,
    "sums": show_sums,
    "of_kind": of_kind,
    "time": show_time,
    "age": show_age,
    "seconds": show_seconds,
    "word": show_word,
    "tone": tone_of,
    "share": show_share,
    "duration": format_duration,
}
