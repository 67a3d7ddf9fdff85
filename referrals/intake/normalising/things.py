"""Ids of devices, cards and documents: one spelling of what programs write differently."""

import re
from typing import Final
from uuid import UUID

from referrals.intake.normalising.characters import plain

THINGS: Final = ("device_id", "payment_instrument", "kyc_subject")
"""Fields whose value is an id that another system made."""
WRITTEN_UUID: Final = re.compile(
    r"(?:urn:)?(?:uuid:)?\{?[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}\}?"
)
"""UUID as systems write it: with braces, as a URN, without hyphens."""


def thing_id(text: str) -> str:
    """Return an id without invisible characters, in one case, and a UUID with hyphens alone."""
    written = plain(text)
    return str(UUID(written)) if WRITTEN_UUID.fullmatch(written) else written
