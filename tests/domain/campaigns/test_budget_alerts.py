"""Thresholds of a budget: which are reached, in minor units."""

import pytest

from domain.campaigns.budget_alerts import reached_thresholds


@pytest.mark.parametrize(
    ("budget_minor", "left_minor", "next_minor", "reached"),
    [
        (10_000, 10_000, 1_000, ()),
        (10_000, 2_001, 1_000, ()),
        (10_000, 2_000, 1_000, (80,)),
        (10_000, 501, 100, (80,)),
        (10_000, 500, 100, (80, 95)),
        (10_000, 500, 1_000, (80, 95, 100)),
        (10_000, 0, 0, (80, 95, 100)),
        (1_500, 500, 1_000, (100,)),
        (0, 0, 1_000, (100,)),
    ],
)
def test_reaches_thresholds_by_what_is_used_and_the_last_when_the_next_reward_does_not_fit(
    budget_minor: int, left_minor: int, next_minor: int, reached: tuple[int, ...]
) -> None:
    assert reached == reached_thresholds(
        budget_minor=budget_minor, left_minor=left_minor, next_minor=next_minor
    )
