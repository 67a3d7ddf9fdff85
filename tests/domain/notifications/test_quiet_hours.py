"""Quiet hours on the clock on the wall, also on the days when the clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.notifications.quiet_hours import QuietHours, end_of_quiet

NIGHT: Final = QuietHours(time(22), time(8))
SIESTA: Final = QuietHours(time(13), time(15, 30))
NEW_YORK: Final = ZoneInfo("America/New_York")
BERLIN: Final = ZoneInfo("Europe/Berlin")
TOKYO: Final = ZoneInfo("Asia/Tokyo")
APIA: Final = ZoneInfo("Pacific/Apia")
LORD_HOWE: Final = ZoneInfo("Australia/Lord_Howe")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "zone", "at", "ends"),
    [
        (NIGHT, TOKYO, "2026-03-01 12:59", None),
        (NIGHT, TOKYO, "2026-03-01 13:00", "2026-03-01 23:00"),
        (NIGHT, TOKYO, "2026-03-01 22:59", "2026-03-01 23:00"),
        (NIGHT, TOKYO, "2026-03-01 23:00", None),
        (SIESTA, BERLIN, "2026-03-01 11:59", None),
        (SIESTA, BERLIN, "2026-03-01 12:00", "2026-03-01 14:30"),
        (SIESTA, BERLIN, "2026-07-01 11:00", "2026-07-01 13:30"),
        (SIESTA, BERLIN, "2026-07-01 13:30", None),
        # The night in which an hour is skipped, and the one in which an hour comes twice.
        (NIGHT, NEW_YORK, "2026-03-08 03:00", "2026-03-08 12:00"),
        (NIGHT, NEW_YORK, "2026-11-01 02:00", "2026-11-01 13:00"),
        # It ends at a time that no clock shows: at the skip from 02:00 to 03:00.
        (QuietHours(time(22), time(2, 30)), NEW_YORK, "2026-03-08 06:59", "2026-03-08 07:00"),
        (QuietHours(time(22), time(2, 30)), NEW_YORK, "2026-03-08 07:00", None),
        # It begins at such a time.
        (QuietHours(time(2, 30), time(9)), NEW_YORK, "2026-03-08 07:00", "2026-03-08 13:00"),
        # It ends at a time that clocks show twice: at 01:30, and an hour later once more.
        (QuietHours(time(22), time(1, 30)), NEW_YORK, "2026-11-01 04:00", "2026-11-01 05:30"),
        (QuietHours(time(22), time(1, 30)), NEW_YORK, "2026-11-01 05:45", None),
        (QuietHours(time(22), time(1, 30)), NEW_YORK, "2026-11-01 06:10", "2026-11-01 06:30"),
        # Half an hour is skipped here, and a whole day there.
        (QuietHours(time(22), time(2, 15)), LORD_HOWE, "2026-10-03 15:29", "2026-10-03 15:30"),
        (QuietHours(time(22), time(8)), APIA, "2011-12-30 09:00", "2011-12-30 18:00"),
    ],
)
def test_ends_when_the_clock_on_the_wall_says_so(
    hours: QuietHours, zone: ZoneInfo, at: str, ends: str | None
) -> None:
    assert end_of_quiet(utc(at), hours, zone) == (utc(ends) if ends else None)


@given(
    zone=st.sampled_from([NEW_YORK, BERLIN, TOKYO, LORD_HOWE, ZoneInfo("UTC")]),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(  # noqa: DTZ001 - made aware
        lambda at: at.replace(tzinfo=UTC, microsecond=0)
    ),
    edges=st.lists(
        st.times().map(lambda t: t.replace(second=0, microsecond=0)),
        min_size=2,
        max_size=2,
        unique=True,
    ),
)
def test_the_end_is_the_first_moment_outside(
    zone: ZoneInfo, at: datetime, edges: list[time]
) -> None:
    hours = QuietHours(*edges)
    ends = end_of_quiet(at, hours, zone)

    def is_quiet(moment: datetime) -> bool:
        return hours.include(moment.astimezone(zone).time())

    assert (ends is not None) == is_quiet(at)
    if ends is not None:
        minutes = int((ends - at) / timedelta(minutes=1))
        assert all(is_quiet(at + timedelta(minutes=minute)) for minute in range(minutes))
        assert is_quiet(ends - timedelta(seconds=1))
        assert not is_quiet(ends)


def test_hours_that_begin_where_they_end_are_refused() -> None:
    with pytest.raises(ValueError, match="different times"):
        QuietHours(time(8), time(8))
