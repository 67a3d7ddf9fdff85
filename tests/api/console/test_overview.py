"""The overview's steps, beside the time before."""

import pytest

from api.console.overview import Step


@pytest.mark.parametrize(
    ("count", "earlier", "words"),
    [
        (0, 0, ""),
        (3, 0, "none before"),
        (100, 100, "as many as before"),
        (1001, 1000, "as many as before"),
        (150, 100, "50 % more than before"),
        (12_000, 100, "11,900 % more than before"),
        (0, 7, "100 % fewer than before"),
        (2, 3, "33 % fewer than before"),
    ],
)
def test_a_step_is_compared_with_the_time_before(count: int, earlier: int, words: str) -> None:
    assert Step("signups", count, before=0, widest=count, earlier=earlier).change == words
