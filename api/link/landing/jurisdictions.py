"""Where no public inducement may be shown, and whether a visitor may be there."""

import re
from collections.abc import Iterable
from typing import Final

JURISDICTION_PATTERN: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")


def place_of(told: str) -> str | None:
    """A code of ISO 3166-1 or -2, or None for anything else."""
    code = told.strip().upper()
    return code if JURISDICTION_PATTERN.fullmatch(code) else None


def conceals(listed: Iterable[str], *, known: str | None, claimed: str | None) -> bool:
    """Whether what an offer promises must not be shown; a country is listed for all of its parts.

    Where nothing trustworthy is known of the visitor's place, any listed one conceals; what the
    visitor claims can only add.
    """
    places = tuple(listed)
    if not places:
        return False
    return known is None or any(
        _overlap(place, here) for place in places for here in (known, claimed) if here
    )


def _overlap(one: str, other: str) -> bool:
    """Of a visitor known by country alone, any part may be meant."""
    return f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")
