"""Habits: how honest players use a new account, and how farmers of rewards do."""

from datetime import timedelta
from random import Random
from typing import Final

from sandbox.fraud_evaluation.groups import MINIMUM_MINOR, Habits

AMOUNTS_MINOR: Final = (1000, 1500, 2000, 2500, 5000, 10_000, 20_000)
AMOUNT_WEIGHTS: Final = (25, 10, 20, 15, 15, 10, 5)
HONEST_QUICK_SHARE: Final = 0.3
"""Share of honest players who deposit within minutes of their signup."""
HONEST_WITHDRAWING_SHARE: Final = 0.15


def honest(rng: Random) -> Habits:
    """Return the habits of a person who came to bet: a quarter deposit exactly the minimum."""
    minor = rng.choices(AMOUNTS_MINOR, AMOUNT_WEIGHTS)[0]
    quick = rng.random() < HONEST_QUICK_SHARE
    minutes = rng.uniform(2, 15) if quick else rng.uniform(15, 6 * 24 * 60)
    withdraws = rng.random() < HONEST_WITHDRAWING_SHARE
    return Habits(
        deposit_minor=minor,
        deposits_after=timedelta(minutes=minutes),
        stake_minor=int(minor * rng.uniform(0.4, 1)),
        wagers_after=timedelta(hours=rng.uniform(0.1, 30)),
        withdrawn_minor=int(minor * rng.uniform(0.3, 2)) if withdraws else 0,
        withdraws_after=timedelta(days=rng.uniform(0.5, 20)),
    )


def careless(rng: Random) -> Habits:
    """Return the habits of a farmer in haste: the minimum at once, and back to the card."""
    return Habits(
        deposit_minor=MINIMUM_MINOR,
        deposits_after=timedelta(minutes=rng.uniform(1, 5)),
        withdrawn_minor=MINIMUM_MINOR,
        withdraws_after=timedelta(hours=rng.uniform(0.5, 6)),
    )


def careful(rng: Random) -> Habits:
    """Return the habits of a farmer who imitates bettors: other amounts, hours later, one bet."""
    minor = rng.choice((1000, 1000, 1100, 1200, 1500))
    return Habits(
        deposit_minor=minor,
        deposits_after=timedelta(hours=rng.uniform(0.3, 20)),
        stake_minor=rng.choice((0, 100, 200, 500)),
        wagers_after=timedelta(hours=rng.uniform(0.1, 2)),
        withdrawn_minor=int(minor * 0.9),
        withdraws_after=timedelta(hours=rng.uniform(3, 40)),
    )
