"""Times as events and requests state them: RFC 3339 with an offset."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)
_SECONDS_AT: Final = slice(17, 19)
_LEAP_SECOND: Final = "60"


def has_leap_second(text: str) -> bool:
    """Return whether a time of RFC 3339 is a leap second."""
    return text[_SECONDS_AT] == _LEAP_SECOND


def read_time(text: str) -> datetime:
    """Return a time of RFC 3339; a leap second, which clocks skip, is the second after it.

    Raises ValueError for a time that does not exist.
    """
    text = text.upper()
    try:
        if not has_leap_second(text):
            return datetime.fromisoformat(text).astimezone(UTC)
        before = datetime.fromisoformat(f"{text[:17]}59{text[19:]}").astimezone(UTC)
        if (before.hour, before.minute) == (23, 59):
            return before + timedelta(seconds=1)
    except OverflowError as fault:
        raise ValueError("the time is beyond the calendar") from fault
    raise ValueError("leap seconds are the last of a day of UTC")
