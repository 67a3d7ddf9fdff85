"""IP addresses of clients, and the networks that many clients share."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from domain.ip_texts import Address, parse_ip


class NetworkSet:
    """Some networks. Asking whether an address is in one is cheap, as every event is asked."""

    def __init__(self, *networks: str) -> None:
        self._masks: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for network in map(ip_network, networks):
            ends = int(network.netmask), int(network.network_address)
            self._masks[network.version].append(ends)

    def __contains__(self, address: Address) -> bool:
        number = int(address)
        return any(number & mask == first for mask, first in self._masks[address.version])


SHARED_NETWORKS: Final = NetworkSet(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""Networks of proxies, pods, tests and carriers, whose addresses stand for many clients."""
TRANSLATED_IPV4: Final = NetworkSet("64:ff9b::/96")
"""IPv4 addresses behind a translator to IPv6 (RFC 6052), all of them in one /64."""


def parse_client_address(text: str) -> Address | None:
    """Parse the address of a client, or return None; of a translated one return the IPv4."""
    address = parse_ip(text)
    if isinstance(address, IPv6Address) and address in TRANSLATED_IPV4:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_shared(address: Address) -> bool:
    return address in SHARED_NETWORKS
