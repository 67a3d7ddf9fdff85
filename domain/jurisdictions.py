"""Jurisdictions: codes of ISO 3166-1 and 3166-2, of which one may be a part of another."""

from typing import Final

COUNTRY_ALIASES: Final = {"UK": "GB", "EL": "GR"}
"""Codes that people take for those of ISO 3166."""
TERRITORIES: Final = frozenset({"AS", "GU", "MP", "PR", "VI"})
"""Parts of the United States that have a country's code as well, by which networks name them."""


def canonical(code: str) -> str:
    """Return the one spelling by which codes are compared: ` us_nj ` is `US-NJ`, `UK` is `GB`.

    What was reported is stored as it was written, so that an event keeps its fingerprint.
    """
    country, hyphen, part = code.strip().upper().replace("_", "-").partition("-")
    return f"{COUNTRY_ALIASES.get(country, country)}{hyphen}{part}"


def spellings_in_capitals(code: str) -> tuple[str, ...]:
    """Return the canonical code and those that name the same place by an alias of its country."""
    country, hyphen, part = canonical(code).partition("-")
    aliases = (alias for alias, meant in COUNTRY_ALIASES.items() if meant == country)
    return tuple(f"{name}{hyphen}{part}" for name in (country, *aliases))


def country_of(code: str) -> str:
    """Return the ISO 3166-1 code of a jurisdiction's country."""
    return canonical(code).partition("-")[0]


def is_within(country: str, code: str) -> bool:
    """Return whether a country's code, as a network has it, names a jurisdiction's country."""
    home = country_of(code)
    return country == home or (home == "US" and country in TERRITORIES)


def overlap(one: str, other: str) -> bool:
    """Return whether two codes may mean the same place: a country stands for all of its parts."""
    one, other = f"{canonical(one)}-", f"{canonical(other)}-"
    return one.startswith(other) or other.startswith(one)
