"""Personal data becomes a keyed hash at the door: it can be compared, and not be read back."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from domain import codes

PREFIX: Final = "hm1:"
HASHED: Final = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
PERSONAL: Final = (
    "ip",
    "user_agent",
    "device_id",
    "email",
    "phone",
    "payment_instrument",
    "kyc_subject",
    "full_name",
)


def pseudonymise(field: str, text: str, key: bytes) -> str:
    """The HMAC-SHA256 of a normalised value, separate for each field; a hash stays as it is."""
    if HASHED.fullmatch(text):
        return text
    message = f"{field}\0{normalised(field, text)}".encode()
    return PREFIX + hmac.new(key, message, hashlib.sha256).hexdigest()


def without_personal_data(body: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    return {
        field: _impersonal(field, value, key) if value else value for field, value in body.items()
    }


def normalised(field: str, text: str) -> str:
    """What two spellings of the same thing have in common."""
    folded = " ".join(text.casefold().split())
    if field == "email":
        return _mailbox(folded)
    if field == "phone":
        # What holds no digit stays as it is, or all such entries would look like one phone.
        return "".join(character for character in folded if character.isdigit()) or folded
    return _address(folded) if field == "ip" else folded


def _impersonal(field: str, value: Any, key: bytes) -> Any:  # noqa: ANN401 - as it came
    if field == "code":
        return _typed(value, key)
    return pseudonymise(field, value, key) if field in PERSONAL else value


def _typed(text: str, key: bytes) -> str:
    """People type and paste anything where a code is asked for: only a code stays readable."""
    if codes.is_code(codes.normalised(text)):
        return text
    return codes.as_code(text) or pseudonymise("code", text, key)


def _address(written: str) -> str:
    """An address of IPv4 may be written as one of IPv6, and that in several ways."""
    try:
        address = ip_address(written)
    except ValueError:
        return written
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(mapped or address)


def _mailbox(address: str) -> str:
    name, at, host = address.partition("@")
    name = name.partition("+")[0]
    if host in {"gmail.com", "googlemail.com"}:
        name, host = name.replace(".", ""), "gmail.com"
    return f"{name}{at}{host}"
