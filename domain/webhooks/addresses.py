"""Addresses that a webhook may be delivered to: rules for its URL, and for where that leads."""

import re
import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

IPAddress = IPv4Address | IPv6Address
MAX_URL_CHARS: Final = 2048

# What `is_global` answers differs between Python's releases; these are listed for all of them.
_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20")
)
_WRAPPED_AT_THE_END: Final = tuple(
    IPv6Network(network) for network in ("::ffff:0:0/96", "::/96", "64:ff9b::/96")
)
"""IPv4-mapped, IPv4-compatible and NAT64 addresses: the last four bytes are where they lead."""
_6TO4: Final = IPv6Network("2002::/16")
_PRINTABLE: Final = re.compile(r"[!-\[\]-~]+")
"""Visible ASCII without the backslash, which some parsers read as a slash."""
_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


class Addresses(StrEnum):
    """The addresses that webhooks may be delivered to."""

    ANY = "any"
    PUBLIC = "public"


def is_public(address: IPAddress) -> bool:
    """Return whether an address is a host's on the internet, also when it wraps another one."""
    wrapped = _wrapped(address)
    if wrapped is not None:
        return is_public(wrapped)
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_UNICAST and not any(address in n for n in _NOT_PUBLIC_6)


def url_refusal(url: str, allowed: Addresses) -> str | None:
    """Return why a webhook may not have this URL, or None. Names are not looked up here."""
    if len(url) > MAX_URL_CHARS:
        return f"Must have at most {MAX_URL_CHARS} characters"
    if not _PRINTABLE.fullmatch(url):
        return "Must consist of visible ASCII characters; write an international name as xn--"
    parts = _split(url)
    if parts is None:
        return "Must be an absolute http or https URL with a host"
    if "@" in parts.netloc:
        return "Must not contain credentials"
    if "#" in url:
        return "Must not have a fragment"
    return _public_refusal(parts) if allowed is Addresses.PUBLIC else None


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}").removesuffix(":")
    is_absolute = parts.scheme in {"http", "https"} and _HOST.fullmatch(host) is not None
    return parts if is_absolute and port != 0 else None


def _public_refusal(parts: SplitResult) -> str | None:
    if parts.scheme != "https":
        return "Must begin with https://"
    host = (parts.hostname or "").removesuffix(".")
    address = _literal(host)
    # Names under localhost never leave the machine; other names are judged when they are called.
    is_local = host == "localhost" or host.endswith(".localhost")
    if is_local or (address is not None and not is_public(address)):
        return "Must not lead to a private address"
    return None


def _literal(host: str) -> IPAddress | None:
    """Parse a host that is an address, in any spelling of IPv4 that the system's resolver reads."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _wrapped(address: IPAddress) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in _WRAPPED_AT_THE_END):
        return IPv4Address(address.packed[12:])
    return IPv4Address(address.packed[2:6]) if address in _6TO4 else None
