"""Times and currencies of events, as services write them."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from referrals.intake.fields import Currency, parse_time

CURRENCY: TypeAdapter[str] = TypeAdapter(Currency)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01t12:00:00z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00-00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00+05:45", datetime(2026, 3, 1, 6, 15, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456789Z", datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2024-02-29T23:59:59+23:59", datetime(2024, 2, 29, 0, 0, 59, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T18:59:60.5-05:00", datetime(2017, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_reads_a_time_of_rfc_3339(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00+00:60",
        "2026-03-01T12:00:00+23:60",
        "2026-03-01T12:00:00-24:00",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:60Z",
        "2026-02-29T12:00:00Z",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00Z",
        "2026-03-01T12:00:00+0000",
        "2026-03-01T12:00Z",
        "2026-W09-7T12:00:00Z",
        "\uff12\uff10\uff12\uff16-03-01T12:00:00Z",
        "2026-03-01T12:00:00Z\n",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_refuses_what_is_no_time_of_rfc_3339(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|does not exist"):
        parse_time(text)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "usd", "EURO", "BTC", "ABC"])
def test_refuses_a_code_that_no_account_is_held_in(code: str) -> None:
    with pytest.raises(ValidationError):
        CURRENCY.validate_python(code)


@pytest.mark.parametrize("code", ["USD", "JPY", "KWD", "XAF", "XCD", "XOF", "XPF"])
def test_reads_a_currency(code: str) -> None:
    assert CURRENCY.validate_python(code) == code
