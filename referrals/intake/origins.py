"""Origins of events: what the address and the mailbox say before only their hashes are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, Protocol

import disposable_email_domains
import MailChecker

from domain.privacy import Hasher
from referrals.intake.normalising import matching_of
from referrals.intake.normalising.addresses import read_address
from referrals.intake.normalising.mailboxes import mailbox

ORIGIN: Final = "origin"
"""Key of an origin among what is stored beside a fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Knowledge about the network of an address; None where it is unknown."""

    is_hosting: bool | None = None
    """True where a server or a VPN comes from there, and no household."""
    country: str | None = None
    """ISO 3166-1 alpha-2."""


class Networks(Protocol):
    """Source of knowledge about networks, which states how old it is."""

    @property
    def as_of(self) -> date:
        """Day on which the knowledge was gathered."""

    def find(self, address: IPv4Address | IPv6Address) -> Network | None:
        """Return what is known of an address; None for one that is not known."""


def matching_with_origin(
    said: Mapping[str, Any], hasher: Hasher, networks: Networks | None
) -> dict[str, Any] | None:
    """Return what is kept beside a fact: hashes to link its player by, and its origin.

    Values that came hashed have none of either.
    """
    origin = origin_of(ip=said.get("ip"), email=said.get("email"), networks=networks)
    hashes = matching_of(said, hasher)
    return {**hashes, ORIGIN: origin} if origin else hashes or None


def origin_of(
    *, ip: str | None, email: str | None, networks: Networks | None
) -> dict[str, Any] | None:
    """Return what an event's address and mailbox say, as it is stored; None where it is nothing."""
    found: dict[str, Any] = {}
    address = read_address(ip) if ip and networks is not None else None
    if address is not None and networks is not None:
        network = networks.find(address) or Network()
        found |= {"is_hosting": network.is_hosting, "country": network.country}
        found["as_of"] = networks.as_of.isoformat()
    if email and mailbox(email)[1]:
        found["is_disposable_mail"] = is_disposable(email)
    return {name: value for name, value in found.items() if value is not None} or None


def is_disposable(email: str) -> bool:
    """Return whether one of two kept lists has the mailbox's domain, or a domain above it."""
    labels = mailbox(email)[1].split(".")
    above = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return any(name in _DISPOSABLE for name in above)


_DISPOSABLE: Final = frozenset(disposable_email_domains.blocklist) | frozenset(
    MailChecker.MailChecker.blacklist
)
