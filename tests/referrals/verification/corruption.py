"""A corruption, as only a superuser without triggers can plant it."""

from dataclasses import dataclass
from typing import Final

OTHER_ID: Final = "00000000-0000-4000-8000-000000000001"
ACKNOWLEDGE: Final = """
    UPDATE deliveries SET acknowledged_at = now() - interval '1 day' WHERE referral_id = {referral}
"""
"""Deliveries that the courier counts as delivered, and no workflow received."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """Statements that break an invariant, the check that must notice, and the row it must name."""

    check: str
    row_query: str
    statements: tuple[str, ...]
    also_noticed_by: frozenset[str] = frozenset()
    """Other checks that notice it as well."""
