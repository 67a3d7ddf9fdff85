"""Phone numbers and mail addresses in what operators write: masked in reasons, refused in ids."""

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from domain.field_shapes import is_digits_of_a_phone
from domain.intake.facts import MAX_TEXT_CHARACTERS

MASKED_MAIL: Final = "[mail address]"
MASKED_PHONE: Final = "[phone number]"
_MAIL: Final = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+\.\w{2,}")
_NUMBER: Final = re.compile(r"(?<![\w./:-])(?:\+|00|\()?\d[\d\s().-]{5,22}\d(?![\w:-])")
"""Digits as people group them; not those of UUIDs, times, addresses and amounts."""
_NATIONAL: Final = (
    ("US", re.compile(r"\(?\d{3}\)?[\s.-]+\d{3}[\s.-]\d{4}")),
    ("GB", re.compile(r"\(?0[\d\s().-]+")),
)
"""Regions whose numbers are also known without a country's code, and how people write those."""


def mask_contacts(text: str) -> str:
    """Replace mail addresses and phone numbers, the same ones in the same way each time."""
    text = _MAIL.sub(MASKED_MAIL, text)
    for start, end in reversed(list(_phones(text))):
        text = text[:start] + MASKED_PHONE + text[end:]
    return text


def mask_reason(text: str) -> str:
    """Mask a reason that a fact may keep; raise ValueError where that makes it too long to store.

    A marker may be longer than the address in whose place it stands.
    """
    masked = mask_contacts(text)
    if len(masked) > MAX_TEXT_CHARACTERS:
        raise ValueError("Name fewer mail addresses and phone numbers; each of them is masked")
    return masked


def has_contacts(reference: str) -> bool:
    """Return whether a reference has a mail address, or a number that is written as a phone's.

    Digits alone are the number of an order or a bet.
    """
    if _MAIL.search(reference):
        return True
    return any(not reference[start:end].isdigit() for start, end in _phones(reference))


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for found in _NUMBER.finditer(text):
        if _is_phone(found[0]):
            yield found.start(), found.end()


def _is_phone(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    if not is_digits_of_a_phone(digits.removeprefix("00")):
        return False
    if written.startswith(("+", "00")):
        return True
    if _is_valid(f"+{digits}", None):
        return True
    regions = [region for region, shape in _NATIONAL if shape.fullmatch(written)]
    return any(_is_valid(written, region) for region in regions)


def _is_valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
