"""Phone numbers in any script and spelling as the digits of E.164."""

import re
from typing import Final

import phonenumbers

from referrals.intake.normalising.characters import plain, with_ascii_digits

EXTENSION: Final = re.compile(
    r"(?<=\d)[\s,]*(?:;ext=|ext(?:ension)?\b\.?|x|#)\s*\d{1,7}\s*$", re.IGNORECASE
)
"""Extension behind a number: the phone is the same one."""


def phone_digits(text: str, *, jurisdiction: str | None = None) -> str:
    """Return the digits of a number with its country's, or the given digits if it has none.

    A national number is one of the country of `jurisdiction`, an ISO 3166 code. A text without a
    digit stays as it is, or all such texts would be one phone.
    """
    written = EXTENSION.sub("", with_ascii_digits(plain(text)))
    digits = "".join(mark for mark in written if mark.isascii() and mark.isdigit())
    if not digits:
        return written
    region = (jurisdiction or "").partition("-")[0].upper()
    for number, country in _readings(written.removeprefix("tel:").lstrip(), digits, region):
        found = _e164(number, country)
        if found:
            return found
    return digits


def _readings(written: str, digits: str, region: str) -> list[tuple[str, str | None]]:
    """Return the ways in which a number may be meant, the likeliest first."""
    international = (f"+{digits}", None)
    if written.lstrip("( ").startswith("+"):
        return [international]
    if digits.startswith("00"):
        return [(f"+{digits.lstrip('0')}", None)]
    return [(digits, region), international] if region else [international]


def _e164(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
