"""Placeholders: what an app, a phone or a payment provider sends where it has no value."""

from collections.abc import Iterator, Mapping
from typing import Final

from referrals.intake.normalising.characters import plain, with_ascii_digits

FIELDS: Final = (
    "device_id",
    "payment_instrument",
    "kyc_subject",
    "phone",
    "email",
    "full_name",
)
"""Fields whose value names a person or a thing of one person, and so links players."""
MIN_REPEATED: Final = 4
"""Characters from which one character alone, repeated, is not an id; a shorter one may be a
serial."""
WORDS: Final = frozenset(
    {
        "empty",
        "missing",
        "na",
        "nan",
        "nil",
        "none",
        "notavailable",
        "notprovided",
        "notset",
        "null",
        "objectobject",
        "undefined",
        "unavailable",
        "unknown",
    }
)
"""Words, written without blanks and signs, that programs send for nothing."""
DEVICES: Final = frozenset(
    {
        "9774d56d682e549c",
        "020000000000",
        "0123456789abcdef",
        "dead00beef",
    }
)
"""Ids that many devices share, in the same spelling: the Android id of a fault of 2010 and of
emulators, and the hardware address that phones give to every app. Identifiers of advertising and
of a vendor are zeros where a person or a fault withholds them."""


def unsaid_fields(given: Mapping[str, str], *, method: str | None = None) -> Iterator[str]:
    """Yield the fields of an event whose value says nothing about its player.

    Two players with a placeholder share nothing, and evidence that is required was not reported. A
    payment instrument that is only the deposit's `method` names no card or account.
    """
    for field in FIELDS:
        if field in given and _is_placeholder(field, given[field], method=method):
            yield field


def _is_placeholder(field: str, text: str, *, method: str | None) -> bool:
    written = with_ascii_digits(plain(text))
    word = "".join(filter(str.isalnum, written))
    if not word or word in WORDS:
        return True
    if field == "full_name":
        return False
    if len(word) >= MIN_REPEATED and len(set(word)) == 1:
        return True
    if field == "device_id":
        return word in DEVICES
    return field == "payment_instrument" and method is not None and written == plain(method)
