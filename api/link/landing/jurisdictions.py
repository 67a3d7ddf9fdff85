"""Jurisdictions where an offer may show no inducement, and where a visitor may be."""

import re
from collections.abc import Iterable
from typing import Final

from domain.jurisdictions import overlap

JURISDICTION_REGEX: Final = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"
"""Shape of a code of ISO 3166-1 or 3166-2."""


def parse_jurisdiction(text: str) -> str | None:
    """Parse a code of ISO 3166-1 or 3166-2, or return None."""
    code = text.strip().upper()
    return code if re.fullmatch(JURISDICTION_REGEX, code) else None


def must_conceal(listed: Iterable[str], *, trusted: str | None, from_query: str | None) -> bool:
    """Decide whether to conceal the promise of an offer that lists jurisdictions.

    A listed country stands for all of its parts. Without a trusted jurisdiction any list conceals;
    the one from the query can only conceal more.
    """
    jurisdictions = tuple(listed)
    if not jurisdictions:
        return False
    return trusted is None or any(
        # A visitor of whom only the country is known may be in any part of it.
        overlap(jurisdiction, here)
        for jurisdiction in jurisdictions
        for here in (trusted, from_query)
        if here
    )
