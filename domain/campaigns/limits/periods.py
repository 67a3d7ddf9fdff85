"""Calendar periods in a campaign's time zone, as the instants at which they begin and end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final, Self

_DAY: Final = timedelta(days=1)


class Per(StrEnum):
    """Length of the period that a limit counts in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TAX_YEAR = "tax_year"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class TaxYearStart:
    """Day on which a tax year begins, the same every year."""

    month: int = 1
    day: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a day that not every year has, such as 29 February."""
        date(2001, self.month, self.day)

    @classmethod
    def parse(cls, written: str) -> Self:
        """Return the day written as month and day, such as 04-06, or raise ValueError."""
        month, separator, day = written.partition("-")
        if not separator or len(month) != 2 or len(day) != 2:
            raise ValueError("Must be a month and a day, such as 04-06")
        return cls(month=int(month), day=int(day))


CALENDAR_YEAR: Final = TaxYearStart()


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time; None is open: the whole campaign has no first or next period."""

    starts_at: datetime | None
    until: datetime | None
    """First instant of the next period."""

    def holds(self, at: datetime | None) -> bool:
        """Return whether an instant is in the period; there may be none."""
        if at is None or (self.starts_at is not None and at < self.starts_at):
            return False
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A campaign's time zone, tax year and end."""

    zone: tzinfo
    tax_year_start: TaxYearStart = CALENDAR_YEAR
    campaign_ends_at: datetime | None = None

    def period(self, per: Per, at: datetime) -> Period:
        """Return the period that an instant is in; weeks begin on Monday.

        Found by its instants, not by its local date: where a clock is set back across midnight, a
        local date comes twice, and a reward must still count in exactly one period.
        """
        if per is Per.CAMPAIGN:
            return Period(None, self.campaign_ends_at)
        first = self._first_day(per, at.astimezone(self.zone).date())
        while self._begins(first) > at:
            first = self._first_day(per, first - _DAY)
        while self._begins(following := self._next(per, first)) <= at:
            first = following
        return Period(self._begins(first), self._begins(following))

    def _first_day(self, per: Per, day: date) -> date:
        if per is Per.TAX_YEAR:
            start = day.replace(month=self.tax_year_start.month, day=self.tax_year_start.day)
            return start if start <= day else start.replace(year=day.year - 1)
        return _FIRST_DAYS[per](day)

    def _next(self, per: Per, first: date) -> date:
        if per is Per.TAX_YEAR:
            return first.replace(year=first.year + 1)
        return self._first_day(per, first + _LONGEST[per])

    def _begins(self, day: date) -> datetime:
        """Return a local day's first instant, also where its midnight is skipped or comes twice."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


_FIRST_DAYS: Final[dict[Per, Callable[[date], date]]] = {
    Per.DAY: lambda day: day,
    Per.WEEK: lambda day: day - day.weekday() * _DAY,
    Per.MONTH: lambda day: day.replace(day=1),
}
_LONGEST: Final = {Per.DAY: _DAY, Per.WEEK: 7 * _DAY, Per.MONTH: 31 * _DAY}
"""Time after a first day that is always in the next period."""
