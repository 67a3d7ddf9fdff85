"""IP addresses as proxies, load balancers and apps write them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from domain.addresses import NetworkSet, is_shared, parse_client_address
from domain.ip_texts import Address, ip_text
from referrals.intake.normalising.characters import plain, with_ascii_digits

NETWORK_PREFIX: Final = {4: 24, 6: 64}
"""Prefix of the network that one household or office has, by IP version."""
MAX_CHARACTERS: Final = 1024
_UNROUTED: Final = NetworkSet("0.0.0.0/8", "192.0.0.0/24", "198.18.0.0/15", "::/128", "fec0::/10")
"""Further networks that are not the internet's."""
_SEPARATOR: Final = re.compile(r"[,;|\s(){}<>\"'&#+~@\\]+")
_OF_OTHERS: Final = frozenset({"by", "host", "proto"})
"""Parameters of Forwarded (RFC 7239) that are not the client's address."""
_BEFORE: Final = re.compile(r"\A(?:[a-z]+://|(?:ipv?[46]?|inet[46]?|tcp[46]?|udp[46]?|addr):(?!:))")
"""Scheme or tag before an address, as of load balancers' `tcp://` and mailers' `IPv6:`."""
_HOST_BEFORE: Final = re.compile(r"\A[^/:]*[^/:\d.][^/:]*/|\A/")
"""Name of a host, which may be empty, before its address, as Java writes both."""
_BRACKETED: Final = re.compile(r"\[(?:ipv6:)?(?P<address>[^\]]+)\](?::\d*)*")
_AFTER: Final = re.compile(r"/.*", re.DOTALL)
"""Path of a URL, or prefix length of a single address, as Postgres may write it."""
_BARE_WITH_PORT: Final = re.compile(r"(?P<address>(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}):\d+")
"""A whole IPv6 address and a port without brackets, as Java writes them."""
_WITH_PORT: Final = re.compile(r"(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::\d*)*")
_PADDING: Final = re.compile(r"(?<![\d])0+(?=\d)")


def read_address(text: str) -> Address | None:
    """Return the device's address in a text, or None if the text holds none.

    Of a list it is the first one on the internet, as in X-Forwarded-For and Forwarded, else the
    first one at all. Ports, brackets, zones and quotes are left out.
    """
    alone = None if "%" in text else parse_client_address(text)
    if alone is not None:
        return alone
    found = tuple(_addresses(text[:MAX_CHARACTERS]))
    return next((one for one in found if not _is_inside(one)), found[0] if found else None)


def network_of(address: Address) -> str:
    """Return the /24 or /64 that an address is in, as a CIDR block."""
    prefix, octets = NETWORK_PREFIX[address.version], address.packed
    first = type(address)(octets[: prefix // 8].ljust(len(octets), b"\0"))
    return f"{ip_text(first)}/{prefix}"


def subscriber_of(address: Address) -> str:
    """Return what one subscriber has: an IPv4 address, or a whole IPv6 /64."""
    return network_of(address) if address.version == 6 else ip_text(address)


def with_subscriber(personal: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return personal values with the subscriber in place of the address `ip`."""
    address = read_address(personal.get("ip") or "")
    subscriber = {} if address is None else {"ip": subscriber_of(address)}
    return {**personal, **subscriber}


def _addresses(text: str) -> Iterator[Address]:
    for part in _SEPARATOR.split(with_ascii_digits(plain(text)).replace("\u3002", ".")):
        name, equals, value = part.partition("=")
        if name in _OF_OTHERS:
            continue
        written = _HOST_BEFORE.sub("", _BEFORE.sub("", value if equals else part))
        address = parse_client_address(_without_port(written))
        if address is not None:
            yield address


def _without_port(written: str) -> str:
    """Return an address without path, brackets, port, zone, and zeros before an octet."""
    bare = _AFTER.sub("", written).rstrip(".-_")
    if bracketed := _BRACKETED.fullmatch(bare):
        bare = bracketed["address"]
    if with_port := _WITH_PORT.fullmatch(bare):
        return _PADDING.sub("", with_port["address"])
    if with_port := _BARE_WITH_PORT.fullmatch(bare):
        return with_port["address"]
    return bare.partition("%")[0]


def _is_inside(address: Address) -> bool:
    """Return whether an address is the proxy's own or a carrier's, and not on the internet."""
    return is_shared(address) or address in _UNROUTED
