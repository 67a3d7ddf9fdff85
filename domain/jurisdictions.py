"""Jurisdictions: codes of ISO 3166-1 and 3166-2, of which one may be a part of another."""


def overlap(one: str, other: str) -> bool:
    """Return whether two codes may mean the same place: a country stands for all of its parts."""
    return f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")
