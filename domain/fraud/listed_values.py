"""Listed values: one spelling of each, and the stored values by which an entry is looked up."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from domain.fraud.lists import PERSONAL_KINDS, ListedKind
from domain.intake.facts import ID_PATTERN
from domain.privacy import Hasher

Network = IPv4Network | IPv6Network

MAX_PARTS: Final = 4_096
"""Bounds the keys by which a listed network is looked up: IPv4 /12, IPv6 /52."""
STORED_PREFIX: Final = {4: 24, 6: 64}
"""Prefix of the network that is stored beside each address, by IP version."""
FULL_PREFIX: Final = {4: 32, 6: 128}
_MAPPED_PREFIX: Final = FULL_PREFIX[6] - FULL_PREFIX[4]
_DOMAIN: Final = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]"
)


def stored_value(kind: ListedKind, text: str, hasher: Hasher) -> str:
    """Return a value as its entry stores it; raise ValueError with the reason if it is none."""
    if kind in PERSONAL_KINDS:
        return hasher.hash(kind, text)
    if kind is ListedKind.EMAIL_DOMAIN:
        return _normalise_domain(text)
    if kind is ListedKind.NETWORK:
        return str(_parse_network(text))
    if not ID_PATTERN.fullmatch(text):
        raise ValueError("Must be the id of a player")
    return text


def keys_of(kind: ListedKind, value: str, hasher: Hasher) -> Iterator[tuple[str, str]]:
    """Yield the kind and value of each identity link that an entry hits, from its stored value."""
    if kind is ListedKind.NETWORK:
        for part in _parts(ip_network(value)):
            is_address = part.prefixlen == FULL_PREFIX[part.version]
            field, text = ("ip", part.network_address) if is_address else ("network", part)
            yield field, hasher.hash(field, str(text))
    elif kind is ListedKind.EMAIL_DOMAIN:
        yield kind, hasher.hash(kind, value)
    else:
        yield kind, value


def _normalise_domain(text: str) -> str:
    try:
        domain = text.strip().rpartition("@")[2].rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        domain = ""
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("Must be a domain, such as mail.example")
    return domain


def _parse_network(text: str) -> Network:
    """Parse an address or a network; an IPv4-mapped one becomes IPv4."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError as fault:
        raise ValueError("Must be an IP address or a network, such as 203.0.113.0/24") from fault
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    if mapped and network.prefixlen >= _MAPPED_PREFIX:
        network = IPv4Network((mapped, network.prefixlen - _MAPPED_PREFIX))
    if 1 << (_part_prefix(network) - network.prefixlen) > MAX_PARTS:
        raise ValueError("Must be an IPv4 /12 or narrower, or an IPv6 /52 to /64 or from /116")
    return network


def _parts(network: Network) -> Iterator[Network]:
    """Yield the stored networks that make up a network, or its addresses if it is narrower.

    Addresses are stored as keyed hashes with their /24 or /64 beside them, and hashes can only be
    compared: a wider network is looked up by each of its parts.
    """
    yield from network.subnets(new_prefix=_part_prefix(network))


def _part_prefix(network: Network) -> int:
    stored = STORED_PREFIX[network.version]
    return stored if network.prefixlen <= stored else FULL_PREFIX[network.version]
