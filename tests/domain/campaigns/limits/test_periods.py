"""Calendar periods: right across daylight saving, leap days and skipped days."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns.limits.periods import Calendar, Per, Period, TaxYearStart

ZONES: Final = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
CALENDAR_PERIODS: Final = tuple(per for per in Per if per is not Per.CAMPAIGN)
INSTANTS: Final = st.integers(0, 60 * 366 * 24 * 4).map(
    lambda quarters: datetime(2000, 1, 2, tzinfo=UTC) + quarters * timedelta(minutes=15)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("per", "moment", "starts_at", "until"),
    [
        # 23 and 25 hours long
        ("day", "2026-03-08T12:00-04:00", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00"),
        ("day", "2026-11-01T12:00-05:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"),
        ("week", "2026-03-08T23:59-04:00", "2026-03-02T00:00-05:00", "2026-03-09T00:00-04:00"),
        ("month", "2026-03-31T23:59-04:00", "2026-03-01T00:00-05:00", "2026-04-01T00:00-04:00"),
        # a leap year
        ("day", "2028-02-29T08:00-05:00", "2028-02-29T00:00-05:00", "2028-03-01T00:00-05:00"),
        ("month", "2028-02-29T08:00-05:00", "2028-02-01T00:00-05:00", "2028-03-01T00:00-05:00"),
        ("tax_year", "2028-02-29T08:00-05:00", "2028-01-01T00:00-05:00", "2029-01-01T00:00-05:00"),
    ],
)
def test_a_period_ends_at_local_midnight(per: str, moment: str, starts_at: str, until: str) -> None:
    period = Calendar(zone=ZoneInfo("America/New_York")).period(Per(per), at(moment))
    assert period == Period(at(starts_at), at(until))


@pytest.mark.parametrize(
    ("moment", "year"),
    [("2026-04-05T23:59+01:00", 2025), ("2026-04-06T00:00+01:00", 2026)],
)
def test_a_tax_year_begins_on_its_day(moment: str, year: int) -> None:
    calendar = Calendar(zone=ZoneInfo("Europe/London"), tax_year_start=TaxYearStart(4, 6))
    period = calendar.period(Per.TAX_YEAR, at(moment))
    assert period == Period(at(f"{year}-04-06T00:00+01:00"), at(f"{year + 1}-04-06T00:00+01:00"))


def test_a_tax_year_begins_on_a_day_that_every_year_has() -> None:
    with pytest.raises(ValueError, match="day"):
        TaxYearStart(2, 29)


def test_a_day_that_has_no_midnight_begins_when_the_clock_is_set_forward() -> None:
    calendar = Calendar(zone=ZoneInfo("Asia/Beirut"))
    period = calendar.period(Per.DAY, at("2022-03-27T12:00+03:00"))
    assert period.starts_at == at("2022-03-27T01:00+03:00")


def test_the_campaign_is_one_period_until_its_end() -> None:
    end = at("2026-12-31T00:00+00:00")
    calendar = Calendar(zone=UTC, campaign_ends_at=end)
    assert calendar.period(Per.CAMPAIGN, end - timedelta(days=400)) == Period(None, end)


@given(st.sampled_from(ZONES), st.sampled_from(CALENDAR_PERIODS), INSTANTS)
def test_every_instant_is_in_exactly_one_period(zone: str, per: Per, moment: datetime) -> None:
    calendar = Calendar(zone=ZoneInfo(zone), tax_year_start=TaxYearStart(4, 6))
    period = calendar.period(per, moment)
    assert period.starts_at is not None
    assert period.until is not None
    assert period.starts_at <= moment < period.until
    assert calendar.period(per, period.starts_at) == period
    assert calendar.period(per, period.until - timedelta(microseconds=1)) == period
    assert calendar.period(per, period.until).starts_at == period.until
