"""The schedule of repeats."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.webhooks.retries import RetryPolicy
from domain.webhooks.sending import SendError, SendResult

POLICY = RetryPolicy()
FAILED = SendResult(status=500, error=SendError.HTTP_STATUS)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_repeats_first_within_ten_seconds(jitter: float) -> None:
    assert 0 < POLICY.delay_s(1, FAILED, jitter=jitter) < 10


def test_waits_longer_after_each_failure_up_to_six_hours() -> None:
    delays = [POLICY.delay_s(failures, FAILED, jitter=0.5) for failures in range(1, 40)]
    assert delays == sorted(delays)
    assert delays[:4] == [5, 15, 45, 135]
    assert delays[-1] == 6 * 3600


def test_tries_about_thirty_times_in_five_days() -> None:
    elapsed, attempts = 0.0, 1
    while elapsed < POLICY.give_up_after.total_seconds():
        elapsed += POLICY.delay_s(attempts, FAILED, jitter=0.5)
        attempts += 1
    assert 20 <= attempts <= 40


@pytest.mark.parametrize(
    ("status", "asked_s", "expected"),
    [
        (503, 60.0, 60.0),
        (429, 60.0, 60.0),
        (429, 0.0, 1.0),
        (503, -30.0, 1.0),
        (429, 10.0**9, 6 * 3600.0),
        (500, 60.0, None),
        (503, None, None),
    ],
)
def test_leaves_an_endpoint_alone_as_long_as_it_asks_within_bounds(
    status: int, asked_s: float | None, expected: float | None
) -> None:
    result = SendResult(status=status, error=SendError.HTTP_STATUS, retry_after_s=asked_s)
    assert POLICY.pause_s(result) == expected


def test_repeats_no_earlier_than_the_endpoint_asks() -> None:
    result = SendResult(status=429, error=SendError.HTTP_STATUS, retry_after_s=3600)
    assert 3600 <= POLICY.delay_s(1, result, jitter=0.0) <= POLICY.delay_s(1, result, jitter=1.0)


def test_disables_after_days_without_a_success_and_more_than_a_few_failures() -> None:
    days_ago = NOW - timedelta(days=6)
    assert POLICY.disables(failing_since=days_ago, failures=10, now=NOW)
    assert not POLICY.disables(failing_since=days_ago, failures=2, now=NOW)
    assert not POLICY.disables(failing_since=NOW - timedelta(days=4), failures=99, now=NOW)
