"""How long the courier waits before it tries again what failed."""

import random
from typing import Final

INITIAL_BACKOFF_S: Final = 0.5
MAX_BACKOFF_S: Final = 15.0
MAX_OUTAGE_BACKOFF_S: Final = 2.0
"""While a whole dependency is away one small attempt asks for it, so it may ask often."""


def backoff_s(failures: int, *, longest_s: float = MAX_BACKOFF_S) -> float:
    """Doubles with each failure; the jitter keeps many couriers from returning at once."""
    capped = min(longest_s, INITIAL_BACKOFF_S * 2.0 ** min(failures - 1, 16))
    return capped * random.uniform(0.5, 1.0)  # noqa: S311 - a pause is no secret
