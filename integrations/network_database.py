"""Networks of hosting companies and countries of addresses, from a database or a packaged list."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final

import maxminddb

from integrations import hosting_networks
from referrals.intake.origins import Network, Networks

_HOSTING_FLAGS: Final = (
    "is_hosting_provider",
    "is_anonymous_vpn",
    "is_public_proxy",
    "is_tor_exit_node",
)


class NetworkDatabase:
    """A file in MaxMind's format, such as one of GeoIP or an operator's own.

    Of a record it reads `country.iso_code` and the flags of anonymous networks, at the top level or
    below `traits`. Raises FileNotFoundError or maxminddb.InvalidDatabaseError.
    """

    def __init__(self, path: Path) -> None:
        self._reader = maxminddb.open_database(str(path), maxminddb.MODE_MMAP)
        built = datetime.fromtimestamp(self._reader.metadata().build_epoch, UTC)
        self.as_of: date = built.date()

    def find(self, address: IPv4Address | IPv6Address) -> Network | None:
        try:
            record: Any = self._reader.get(address)
        except ValueError:  # an IPv6 address in a database of IPv4 alone
            return None
        return _network(record) if isinstance(record, dict) else None


class PackagedNetworks:
    """The small list of this package: hosting networks alone, and no countries."""

    def __init__(self, networks: Iterable[str] = hosting_networks.NETWORKS) -> None:
        self.as_of: date = hosting_networks.AS_OF
        parsed = [ip_network(network) for network in networks]
        self._ranges = {
            version: sorted(_range(each) for each in parsed if each.version == version)
            for version in (4, 6)
        }

    def find(self, address: IPv4Address | IPv6Address) -> Network:
        ranges = self._ranges[address.version]
        place = bisect_right(ranges, (int(address), float("inf")))
        is_hosting = place > 0 and int(address) <= ranges[place - 1][1]
        # An address that is not on a small list may come from anywhere.
        return Network(is_hosting=True if is_hosting else None)


def open_networks(path: Path | None) -> Networks:
    """Return the operator's database, or the packaged list where there is none."""
    return NetworkDatabase(path) if path is not None else PackagedNetworks()


def _range(network: IPv4Network | IPv6Network) -> tuple[int, float]:
    return int(network.network_address), int(network.broadcast_address)


def _network(record: dict[str, Any]) -> Network:
    traits = record.get("traits")
    flags = record | traits if isinstance(traits, dict) else record
    known = [bool(flags[name]) for name in _HOSTING_FLAGS if name in flags]
    country = record.get("country")
    iso_code = country.get("iso_code") if isinstance(country, dict) else None
    return Network(is_hosting=any(known) if known else None, country=iso_code)
