"""Jurisdictions: codes of ISO 3166-1 and 3166-2, of which one may be a part of another."""

from typing import Final

COUNTRY_ALIASES: Final = {"UK": "GB", "EL": "GR"}
"""Codes that people take for those of ISO 3166."""
TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})
"""Parts of the United States that have a country's code as well, by which networks name them."""


def country_of(code: str) -> str:
    """Return the ISO 3166-1 code of a jurisdiction's country."""
    country = code.partition("-")[0].upper()
    return COUNTRY_ALIASES.get(country, country)


def is_within(country: str, code: str) -> bool:
    """Return whether a country's code, as a network has it, names a jurisdiction's country."""
    home = country_of(code)
    return country == home or (home == "US" and country in TERRITORIES)


def overlap(one: str, other: str) -> bool:
    """Return whether two codes may mean the same place: a country stands for all of its parts."""
    return f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")
