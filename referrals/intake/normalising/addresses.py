"""IP addresses as proxies, load balancers and apps write them."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from domain.privacy import parse_ip
from referrals.intake.normalising.characters import plain, with_ascii_digits

NETWORK_PREFIX: Final = {4: 24, 6: 64}
"""Prefix of the network that one household or office has, by IP version."""
MAX_CHARACTERS: Final = 1024
_INSIDE: Final = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
"""Networks that are not the internet's: what they hold is the proxy's own, or a carrier's."""
_SEPARATOR: Final = re.compile(r"[,; \t]+")
_BRACKETED: Final = re.compile(r"\[(?P<address>[^\]]+)\](?::\d+)?")
_WITH_PORT: Final = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3}):\d+")

Address = IPv4Address | IPv6Address


def read_address(text: str) -> Address | None:
    """Return the device's address in a text, or None if the text holds none.

    Of a list it is the first one on the internet, as in X-Forwarded-For and Forwarded, else the
    first one at all. Ports, brackets, zones and quotes are left out.
    """
    found = tuple(_addresses(text[:MAX_CHARACTERS]))
    return next((one for one in found if not _is_inside(one)), found[0] if found else None)


def network_of(address: Address) -> str:
    """Return the /24 or /64 that an address is in, as a CIDR block."""
    return str(ip_network((address, NETWORK_PREFIX[address.version]), strict=False))


def subscriber_of(address: Address) -> str:
    """Return what one subscriber has: an IPv4 address, or a whole IPv6 /64."""
    return network_of(address) if address.version == 6 else str(address)


def with_subscriber(personal: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return personal values with the subscriber in place of the address `ip`."""
    address = read_address(personal.get("ip") or "")
    subscriber = {} if address is None else {"ip": subscriber_of(address)}
    return {**personal, **subscriber}


def _addresses(text: str) -> Iterator[Address]:
    for part in _SEPARATOR.split(with_ascii_digits(plain(text))):
        written = part.removeprefix("for=").strip("\"'")
        bracketed = _BRACKETED.fullmatch(written) or _WITH_PORT.fullmatch(written)
        written = bracketed["address"] if bracketed else written
        address = parse_ip(written.partition("%")[0])
        if address is not None:
            yield address


def _is_inside(address: Address) -> bool:
    return any(address in network for network in _INSIDE if network.version == address.version)
