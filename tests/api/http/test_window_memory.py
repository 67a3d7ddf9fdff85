"""Windows that a process remembers: never more than was counted, and not displaced by a flood."""

from datetime import UTC, datetime, timedelta

from api.http.limits.memory import WindowLimit, WindowMemory
from db.rate_windows import Window

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMIT = WindowLimit("a", 3, 60 * SECOND)


def test_a_window_is_full_of_the_hits_of_this_process_and_of_others() -> None:
    memory = WindowMemory()
    memory.count_hit(LIMIT, now=NOW)
    memory.learn(LIMIT, Window(hits=2, ends_at=NOW + 30 * SECOND), now=NOW)
    assert memory.full_until(LIMIT, now=NOW) is None

    memory.count_hit(LIMIT, now=NOW)

    assert memory.full_until(LIMIT, now=NOW) == NOW + 30 * SECOND


def test_hits_under_way_are_not_counted_twice() -> None:
    memory = WindowMemory()
    for _ in range(2):
        memory.count_hit(LIMIT, now=NOW)

    # The answer of the second hit, with both in it, comes before that of the first.
    for hits in (2, 1):
        memory.learn(LIMIT, Window(hits=hits, ends_at=NOW + 60 * SECOND), now=NOW)

    assert memory.full_until(LIMIT, now=NOW) is None


def test_a_window_that_ended_is_empty_and_what_was_counted_in_it_comes_too_late() -> None:
    memory = WindowMemory()
    for _ in range(3):
        memory.count_hit(LIMIT, now=NOW)
    later = NOW + 60 * SECOND

    assert memory.full_until(LIMIT, now=later - SECOND) is not None
    assert memory.full_until(LIMIT, now=later) is None
    memory.count_hit(LIMIT, now=later)
    memory.learn(LIMIT, Window(hits=3, ends_at=later), now=NOW)
    assert memory.full_until(LIMIT, now=later) is None


def test_a_window_that_began_later_elsewhere_does_not_prolong_the_one_of_this_process() -> None:
    memory = WindowMemory()
    for _ in range(3):
        memory.count_hit(LIMIT, now=NOW)
    memory.learn(LIMIT, Window(hits=1, ends_at=NOW + 100 * SECOND), now=NOW)

    assert memory.full_until(LIMIT, now=NOW) == NOW + 60 * SECOND


def test_a_flood_of_windows_displaces_the_oldest_and_no_full_one() -> None:
    memory = WindowMemory(max_windows=10)
    half = WindowLimit("half", 3, 60 * SECOND)
    for _ in range(3):
        memory.count_hit(LIMIT, now=NOW)
    for _ in range(2):
        memory.count_hit(half, now=NOW)

    for n in range(50):
        memory.count_hit(WindowLimit(f"other {n}", 3, 60 * SECOND), now=NOW)
    memory.count_hit(half, now=NOW)

    assert memory.full_until(LIMIT, now=NOW) is not None
    assert memory.full_until(half, now=NOW) is None


def test_a_limit_of_nothing_is_always_reached() -> None:
    nothing = WindowLimit("nothing", 0, 60 * SECOND)
    assert WindowMemory().full_until(nothing, now=NOW) == NOW + 60 * SECOND
