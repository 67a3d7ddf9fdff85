"""An offer in words, for the people who share a code and those who follow it."""

from datetime import timedelta
from typing import Final

from domain.campaign import Terms
from domain.money import Money

SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£"}
DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Decimals of the currencies of ISO 4217 that have not two."""


def headline(terms: Terms) -> str:
    rewards = [f"{amount_in_words(terms.referrer_reward)} for you"]
    if terms.referee_reward is not None and terms.referee_reward.minor:
        rewards.append(f"{amount_in_words(terms.referee_reward)} for your friend")
    minimum = amount_in_words(terms.minimum_deposit)
    return f"{' and '.join(rewards)} when your friend deposits {minimum} or more"


def in_words(terms: Terms) -> str:
    minimum = amount_in_words(terms.minimum_deposit)
    sentences = [
        f"Your friend signs up within {_length(terms.signup_window)} of following your link",
        f"and deposits at least {minimum} within {_length(terms.deposit_window)} of signing up.",
    ]
    if terms.hold_period:
        sentences.append(f"The reward is credited {_length(terms.hold_period)} after that.")
    sentences.append(
        "It is taken back if the deposit is refunded or charged back within "
        f"{_length(terms.chargeback_window)}."
    )
    return " ".join(sentences)


def amount_in_words(money: Money) -> str:
    """$10, $10.50, 1,000 JPY: cents are told only where there are some."""
    decimals = DECIMALS.get(money.currency, 2)
    whole, part = divmod(money.minor, 10**decimals)
    number = f"{whole:,}" + (f".{part:0{decimals}}" if part else "")
    symbol = SYMBOLS.get(money.currency)
    return f"{symbol}{number}" if symbol else f"{number} {money.currency}"


def _length(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            return _count(seconds // size, unit)
    return _count(seconds, "second")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
