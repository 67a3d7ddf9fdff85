"""Rows of which there are none, as an act has seen under its locks: nobody looks for them again."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Rows that a posting need not look for."""

    queue: bool = False
    """No other referral waits for the campaign's money."""
    debts: bool = False
    """The players of the pair have never owed anything."""
    transfers: bool = False
    """The transfers were never posted before."""


NOTHING_ABSENT: Final = Absent()
