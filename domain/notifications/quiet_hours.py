"""Quiet hours: the part of a player's day in which no message is sent."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the clock on the wall up to another, over midnight if that is earlier."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("quiet hours begin and end at different times")

    def include(self, clock: time) -> bool:
        clock = clock.replace(tzinfo=None, fold=0)
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def end_of_quiet(at: datetime, hours: QuietHours, zone: tzinfo) -> datetime | None:
    """Return when the quiet hours end that a moment lies in, in UTC; None for one outside them.

    Where the clocks are changed, it is the first moment at which the clock on the wall no longer
    shows a quiet hour: a skipped end is the skip itself, of a repeated one the next counts.
    """
    local = at.astimezone(zone)
    if not hours.include(local.time()):
        return None
    clock = local.time().replace(fold=0)
    day = local.date() + timedelta(days=0 if clock < hours.end else 1)
    first, second = (
        datetime.combine(day, hours.end.replace(fold=fold), zone).astimezone(UTC) for fold in (0, 1)
    )
    if second < first:
        # No clock shows this time: the hours before the skip were quiet, those after it are not.
        return _first_outside(max(second, at), first, hours, zone)
    return first if first > at else second


def _first_outside(
    earliest: datetime, latest: datetime, hours: QuietHours, zone: tzinfo
) -> datetime:
    """Return the first second in the range at which the hours are over."""
    seconds = range(int((latest - earliest).total_seconds()))

    def is_over(second: int) -> bool:
        local = (earliest + timedelta(seconds=second)).astimezone(zone)
        return not hours.include(local.time())

    return earliest + timedelta(seconds=bisect_left(seconds, x=True, key=is_over))
