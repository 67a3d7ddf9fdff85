"""Times as events and requests state them: RFC 3339 with an offset."""

import re
from typing import Final

RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII | re.IGNORECASE,
)
LEAP_SECOND_AT: Final = slice(17, 19)
"""Digits of the seconds in such a time."""
