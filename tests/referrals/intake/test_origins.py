"""Origins of events, read from the address and the mailbox at the door."""

from datetime import date
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import pytest

from integrations.network_database import PackagedNetworks
from referrals.intake.origins import Network, is_disposable, origin_of


class TwoNetworks:
    """Knows a hosting network in Germany, and a household in the US."""

    as_of: Final = date(2026, 1, 1)

    def find(self, address: IPv4Address | IPv6Address) -> Network | None:
        return {
            ip_address("5.9.0.1"): Network(is_hosting=True, country="DE"),
            ip_address("198.51.100.7"): Network(is_hosting=False, country="US"),
        }.get(address)


@pytest.mark.parametrize(
    ("ip", "origin"),
    [
        ("5.9.0.1", {"is_hosting": True, "country": "DE", "as_of": "2026-01-01"}),
        ("::ffff:5.9.0.1", {"is_hosting": True, "country": "DE", "as_of": "2026-01-01"}),
        ("5.9.0.1:443, 10.0.0.1", {"is_hosting": True, "country": "DE", "as_of": "2026-01-01"}),
        ('for="[::ffff:5.9.0.1]:80"', {"is_hosting": True, "country": "DE", "as_of": "2026-01-01"}),
        ("198.51.100.7", {"is_hosting": False, "country": "US", "as_of": "2026-01-01"}),
        ("192.0.2.1", {"as_of": "2026-01-01"}),
        ("no address", None),
        (None, None),
    ],
)
def test_an_address_says_its_country_and_whether_servers_are_there(
    ip: str | None, origin: dict[str, object] | None
) -> None:
    assert origin_of(ip=ip, email=None, networks=TwoNetworks()) == origin


@pytest.mark.parametrize(
    ("email", "disposable"),
    [
        ("kim@mailinator.com", True),
        ("kim@MAILINATOR.COM ", True),
        ("kim@sub.mailinator.com", True),
        ("Kim <kim@mailinator.com>", True),
        ("kim\uff20mailinator\uff0ecom", True),
        ("kim@gmail.com", False),
        ("kim@mailinator.com.example.org", False),
    ],
)
def test_a_disposable_mailbox_is_recognised_by_its_domain(email: str, *, disposable: bool) -> None:
    assert is_disposable(email) is disposable
    origin = origin_of(ip=None, email=email, networks=None)
    assert origin == {"is_disposable_mail": disposable}


@pytest.mark.parametrize(
    ("address", "hosting"),
    [("5.9.255.255", True), ("5.10.0.0", None), ("2a01:4f8::1", True), ("2001:db8::1", None)],
)
def test_the_packaged_list_knows_hosting_networks_alone(
    address: str, *, hosting: bool | None
) -> None:
    networks = PackagedNetworks()

    assert networks.find(ip_address(address)) == Network(is_hosting=hosting)
    assert networks.as_of <= date(2026, 12, 31)
