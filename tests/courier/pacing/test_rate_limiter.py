"""The rate limiter of the invitations' lane: no wait for one, a spread for a crowd."""

from courier.pacing.rate_limiter import (
    PATIENCE_S,
    SATURATED_AFTER_BATCHES,
    SATURATED_RATE_SHARE,
    RateLimiter,
)


def test_a_single_item_goes_at_once_and_many_keep_to_the_rate() -> None:
    now_s = 100.0
    limiter = RateLimiter(20, clock_s=lambda: now_s)
    assert (limiter.batch_size, limiter.wait_s) == (2, 0.0)

    limiter.consume(1)
    assert round(limiter.wait_s, 3) == 0.05
    now_s += 1
    assert limiter.wait_s == 0.0


def test_the_rate_is_lower_while_saturated() -> None:
    limiter = RateLimiter(20, clock_s=lambda: 100.0)
    waits_s = []
    for _ in range(SATURATED_AFTER_BATCHES + 1):
        limiter.consume(limiter.batch_size)
        waits_s.append(round(limiter.wait_s, 3))
    limiter.consume(1)

    assert waits_s == [0.1] * SATURATED_AFTER_BATCHES + [0.1 / SATURATED_RATE_SHARE]
    assert round(limiter.wait_s, 3) == 0.05


def test_a_crowd_that_stays_is_caught_up_with_beyond_the_rate() -> None:
    now_s = 100.0
    limiter = RateLimiter(20, clock_s=lambda: now_s)

    def wait_of_a_full_batch() -> float:
        limiter.consume(limiter.batch_size)
        return round(limiter.wait_s, 5)

    for _ in range(SATURATED_AFTER_BATCHES + 1):
        first = wait_of_a_full_batch()
    waits_s = []
    for _ in range(6):
        now_s += PATIENCE_S
        waits_s.append(wait_of_a_full_batch())
    limiter.consume(1)

    assert first == 0.4
    assert waits_s == [0.1, 0.025, 0.00625, 0.00625, 0.00625, 0.00625]
    assert round(limiter.wait_s, 3) == 0.05
