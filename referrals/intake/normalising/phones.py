"""Phone numbers in any script and spelling as the digits of E.164."""

import re
from typing import Final

import phonenumbers

from domain.jurisdictions import country_of
from referrals.intake.normalising.characters import plain, with_ascii_digits

EXTENSION: Final = re.compile(
    r"(?<=\d)[\s,]*(?:;ext=|ext(?:ension)?\b\.?|x\.?|#)\s*\d{1,7}\s*$|(?<=\d{7}),\s*\d{1,7}\s*$",
    re.IGNORECASE,
)
"""Extension behind a number, or behind a phone's comma for a pause: the phone is the same one."""
DIALLED_AFTER: Final = re.compile(r"(?<=\d)\s*(?:;|,,|,?\s*[pw]\s*\d).*", re.DOTALL)
"""Parameters of a `tel:` address, and what is dialled after a pause."""
LETTERS_OF_KEYS: Final = re.compile(r"(?<=\d)[\s.-]*(?:[a-z][\s.-]*){3,}")
"""A number's end in letters, as of 1-800-FLOWERS."""
MEXICAN_MOBILE: Final = re.compile(r"\A521(?=\d{10}\Z)")
MEXICAN_PREFIX: Final = re.compile(r"\A0(?:1|44|45)(?=\d{10}\Z)")
"""Prefixes of Mexican numbers until 2019, which address books and messengers still write."""
ARGENTINE_MOBILE: Final = re.compile(r"\A549(?=\d{10}\Z)")
"""The 9 before an Argentine mobile number, which people leave out: no two numbers differ by it."""
_INTERNATIONAL: Final = re.compile(r"(?:tel:)?[\s(]*(?:\+|00)[\s(.-]*[0-9]", re.ASCII)


def is_international(text: str) -> bool:
    """Return whether a number names its country, so that it is the same one everywhere."""
    return _INTERNATIONAL.match(with_ascii_digits(plain(text))) is not None


def phone_digits(text: str, *, jurisdiction: str | None = None) -> str:
    """Return the digits of a number with its country's, or the given digits if it has none.

    A national number is one of the country of `jurisdiction`, an ISO 3166 code. A text without a
    digit stays as it is, or all such texts would be one phone.
    """
    written = DIALLED_AFTER.sub("", EXTENSION.sub("", with_ascii_digits(plain(text))))
    country = country_of(jurisdiction or "")
    spelled = LETTERS_OF_KEYS.sub(_as_keys, written)
    for number in dict.fromkeys((written, spelled)):
        if found := _e164(number.removeprefix("tel:").lstrip(), country):
            return ARGENTINE_MOBILE.sub("54", found)
    return MEXICAN_MOBILE.sub("52", _digits(spelled)) or written


def _e164(written: str, country: str) -> str | None:
    for check in (phonenumbers.is_valid_number, phonenumbers.is_possible_number):
        for number, region in _readings(written, _digits(written), country):
            try:
                parsed = phonenumbers.parse(number, region)
            except phonenumbers.NumberParseException:
                continue
            if check(parsed):
                form = phonenumbers.PhoneNumberFormat.E164
                return phonenumbers.format_number(parsed, form).lstrip("+")
    return None


def _readings(written: str, digits: str, country: str) -> list[tuple[str, str | None]]:
    """Return the ways in which a number may be meant, the likeliest first."""
    international = (f"+{digits.lstrip('0')}", None)
    if written.lstrip("( ").startswith("+"):
        return [international]
    if country == "MX":
        digits = MEXICAN_PREFIX.sub("", digits)
    national = [(digits, country)] if country else []
    if digits.startswith("00"):
        # Some countries dial abroad by a longer prefix that begins so, such as 0011.
        return [(f"+{digits.lstrip('0')}", None), *national]
    return [*national, international]


def _digits(text: str) -> str:
    return "".join(mark for mark in text if mark.isascii() and mark.isdigit())


def _as_keys(letters: re.Match[str]) -> str:
    return phonenumbers.convert_alpha_characters_in_number(letters[0])
