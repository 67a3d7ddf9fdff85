"""Amounts of money."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """Whole minor units (such as cents) of one ISO 4217 currency."""

    minor: int
    currency: str
