"""Subjects of limits: what counts as one client."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Final

from domain.privacy import parse_ip

SHARED_NETWORKS: Final = tuple(
    ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                "::1/128", "fc00::/7", "fe80::/10")
)  # fmt: skip
"""Addresses of proxies and tests, which stand for many clients: only their misses are limited."""
SUBSCRIBER_PREFIX_BITS: Final = 64
"""Prefix of IPv6 that one subscriber holds, with every address in it."""
SITE_PREFIX_BITS: Final = 48
"""Prefix of IPv6 that one organisation is given: 65,536 networks of subscribers."""
NO_ADDRESS: Final = "none"
"""Subject of all clients without a readable address, who have one limit together."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The counted client, player, device or code, by the kind of its key."""

    kind: str
    value: str
    is_shared: bool = False
    """It stands for many clients, as a proxy's address does."""


def subjects_of(keys: Mapping[str, str | None]) -> Iterator[Subject]:
    """Yield what is counted; an IPv6 address is counted with the network of its site, too."""
    for kind, value in keys.items():
        if kind == "address" and value is not None:
            yield from _subjects_of_address(value)
        elif value:
            yield Subject(kind, value)


def _subjects_of_address(written: str) -> Iterator[Subject]:
    address = parse_ip(written)
    if address is None:
        # Without any, the clients are those of a Unix socket; what cannot be read was sent by one.
        yield Subject("address", NO_ADDRESS, is_shared=not written)
        return
    is_shared = _is_shared(address)
    if not isinstance(address, IPv6Address):
        yield Subject("address", str(address), is_shared)
        return
    yield Subject("address", _network(address, SUBSCRIBER_PREFIX_BITS), is_shared)
    if not is_shared:
        yield Subject("site", _network(address, SITE_PREFIX_BITS))


def _is_shared(address: IPv4Address | IPv6Address) -> bool:
    return any(address in net for net in SHARED_NETWORKS if net.version == address.version)


def _network(address: IPv6Address, prefix_bits: int) -> str:
    return str(IPv6Network((int(address), prefix_bits), strict=False))
