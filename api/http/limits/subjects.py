"""Subjects of limits: what counts as one client."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from typing import Final

from domain.addresses import is_shared
from referrals.intake.normalising.addresses import read_address

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
    """It stands for many clients, as a proxy's address does: only its misses are limited."""


def subjects_of(keys: Mapping[str, str | None]) -> Iterator[Subject]:
    """Yield what is counted; an IPv6 address is counted with the network of its site, too."""
    for kind, value in keys.items():
        if kind == "address" and value is not None:
            yield from _subjects_of_address(value)
        elif value:
            yield Subject(kind, value)


def _subjects_of_address(written: str) -> Iterator[Subject]:
    address = read_address(written)
    if address is None:
        # Without any, the clients are those of a Unix socket; what cannot be read was sent by one.
        yield Subject("address", NO_ADDRESS, is_shared=not written)
        return
    shared = is_shared(address)
    if not isinstance(address, IPv6Address):
        yield Subject("address", str(address), shared)
        return
    yield Subject("address", _network(address, SUBSCRIBER_PREFIX_BITS), shared)
    if not shared:
        yield Subject("site", _network(address, SITE_PREFIX_BITS))


def _network(address: IPv6Address, prefix_bits: int) -> str:
    return str(IPv6Network((int(address), prefix_bits), strict=False))
