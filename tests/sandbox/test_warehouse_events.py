"""The events that the bench of the warehouse loads."""

from collections import Counter

from analytics.rows import row_of
from sandbox.benchmarks.warehouse_reports import make_events


def test_every_made_event_is_one_that_reports_count() -> None:
    rows = [row_of(event) for event in make_events(2_000, seed=1)]

    counted = Counter(row["type"] for row in rows if row)
    assert sum(counted.values()) == len({row["event_id"] for row in rows if row}) == 2_000
    assert counted["CodeClicked"] >= counted["ReferralSignedUp"] >= counted["RewardGranted"] > 0


def test_a_seed_makes_the_same_events() -> None:
    assert list(make_events(50, seed=3)) == list(make_events(50, seed=3))
    assert list(make_events(50, seed=3)) != list(make_events(50, seed=4))
