"""The rate limiter of the invitations' lane: no wait for one, a spread for a crowd."""

from courier.pacing.rate_limiter import SATURATED_AFTER_BATCHES, SATURATED_RATE_SHARE, RateLimiter


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
