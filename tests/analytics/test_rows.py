"""Records that are no events: each is passed over, and what comes with it is loaded."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from analytics.rows import UNREADABLE, row_of
from analytics.warehouse import EmbeddedWarehouse, Loader


def granted(**changes: object) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()),
        "type": "RewardGranted",
        "occurred_at": "2026-03-01T00:00:00+00:00",
        "campaign": "spring",
        "campaign_version": 1,
        "referral_id": str(uuid4()),
    }
    return event | changes


def reward(minor: object) -> list[dict[str, Any]]:
    return [{"amount": {"minor": minor, "currency": "USD"}}]


NO_EVENTS: Final[Mapping[str, dict[str, Any]]] = {
    "an endless version": {"campaign_version": float("inf")},
    "a version below zero": {"campaign_version": -1},
    "a version beyond its column": {"campaign_version": 2**40},
    "a version in words": {"campaign_version": "1"},
    "an id that is a number": {"event_id": 5},
    "half of a character": {"campaign": "\ud800"},
    "a list as a campaign": {"campaign": ["spring"]},
    "no campaign": {"campaign": None},
    "a time before all times": {"occurred_at": "0001-01-01T00:00:00+14:00"},
    "an amount beyond its column": {"rewards": reward(2**70)},
    "part of a cent": {"rewards": reward(1.5)},
    "words as rewards": {"rewards": "ten dollars"},
    "an adjustment without what stood before": {"type": "RewardAdjusted", "rewards": reward(400)},
}


@pytest.mark.parametrize("fault", NO_EVENTS)
def test_what_is_no_event_is_refused_before_it_is_in_a_block(fault: str) -> None:
    with pytest.raises(UNREADABLE):
        row_of(granted(**NO_EVENTS[fault]))


@pytest.fixture
def empty_warehouse(tmp_path: Path) -> Iterator[EmbeddedWarehouse]:
    warehouse = EmbeddedWarehouse(tmp_path / "warehouse")
    yield warehouse
    warehouse.close()


def test_a_block_may_have_events_of_many_years(empty_warehouse: EmbeddedWarehouse) -> None:
    times = [datetime(2000 + nth // 12, nth % 12 + 1, 1, tzinfo=UTC) for nth in range(150)]
    with Loader(empty_warehouse) as loader:
        loader.add([row for at in times if (row := row_of(granted(occurred_at=at.isoformat())))])

    (found,) = empty_warehouse.select("select toUInt32(count()) as number from events", {})
    assert json.dumps(found) == '{"number": 150}'
