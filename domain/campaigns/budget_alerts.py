"""Alerts about a campaign's budget: which of its thresholds are reached."""

from typing import Final

THRESHOLDS: Final = (80, 95, 100)
"""Percentages of a budget that is used, at each of which people are alerted once."""


def reached_thresholds(*, budget_minor: int, left_minor: int, next_minor: int) -> tuple[int, ...]:
    """Return the thresholds that are reached, the smallest first.

    The last is reached when nothing is left, or not enough for the next reward of `next_minor`.
    """
    used = 100 * (budget_minor - left_minor)
    *shares, all_of_it = THRESHOLDS
    reached = [share for share in shares if used >= share * budget_minor > 0]
    return (*reached, all_of_it) if left_minor < max(next_minor, 1) else tuple(reached)
