"""Listed values: one spelling of each, and the keys that find players' values."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fraud.listed_values import keys_of, stored_value
from domain.fraud.lists import PERSONAL_KINDS, ListedKind
from domain.privacy import HASH_SHAPE, Hasher

HASHER = Hasher("a key for tests", public_url="https://refer.example")


@pytest.mark.parametrize(
    ("kind", "text", "stored"),
    [
        (ListedKind.NETWORK, "203.0.113.7", "203.0.113.7/32"),
        (ListedKind.NETWORK, " 203.0.113.7/24 ", "203.0.113.0/24"),
        (ListedKind.NETWORK, "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        (ListedKind.NETWORK, "2001:DB8:0:0::/64", "2001:db8::/64"),
        (ListedKind.NETWORK, "10.16.0.0/12", "10.16.0.0/12"),
        (ListedKind.EMAIL_DOMAIN, "@Mail.Example.", "mail.example"),
        (ListedKind.EMAIL_DOMAIN, "ann@mail.example", "mail.example"),
        (ListedKind.EMAIL_DOMAIN, "bücher.example", "xn--bcher-kva.example"),
        (ListedKind.PLAYER, "player:7", "player:7"),
    ],
)
def test_a_value_that_is_not_personal_is_stored_in_one_spelling(
    kind: ListedKind, text: str, stored: str
) -> None:
    assert stored_value(kind, text, HASHER) == stored


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ListedKind.NETWORK, "203.0.113"),
        (ListedKind.NETWORK, "203.0.113.0/33"),
        (ListedKind.NETWORK, "0.0.0.0/0"),
        (ListedKind.NETWORK, "10.0.0.0/11"),
        (ListedKind.NETWORK, "2001:db8::/51"),
        (ListedKind.NETWORK, "2001:db8::/65"),
        (ListedKind.NETWORK, "::/0"),
        (ListedKind.EMAIL_DOMAIN, "example"),
        (ListedKind.EMAIL_DOMAIN, "-a.example"),
        (ListedKind.EMAIL_DOMAIN, "a..example"),
        (ListedKind.EMAIL_DOMAIN, "mail.example/x"),
        (ListedKind.EMAIL_DOMAIN, "10.0.0.1"),
        (ListedKind.EMAIL_DOMAIN, "a." * 130 + "example"),
        (ListedKind.PLAYER, "a player"),
    ],
)
def test_a_value_that_can_match_nothing_is_refused(kind: ListedKind, text: str) -> None:
    with pytest.raises(ValueError, match=r"^Must be "):
        stored_value(kind, text, HASHER)


@pytest.mark.parametrize("kind", sorted(PERSONAL_KINDS))
def test_a_personal_value_is_stored_as_the_hash_that_an_event_stores(kind: ListedKind) -> None:
    stored = stored_value(kind, "Ann@Mail.Example 15550109999", HASHER)
    assert HASH_SHAPE.fullmatch(stored)
    assert stored == HASHER.hash_personal({kind.value: "Ann@Mail.Example 15550109999"})[kind]
    assert list(keys_of(kind, stored, HASHER)) == [(kind, stored)]


@pytest.mark.parametrize(
    ("network", "kind", "count"),
    [
        ("203.0.113.7/32", "ip", 1),
        ("203.0.113.0/28", "ip", 16),
        ("203.0.113.0/24", "network", 1),
        ("203.0.112.0/22", "network", 4),
        ("2001:db8::1/128", "ip", 1),
        ("2001:db8::/116", "ip", 4_096),
        ("2001:db8::/64", "network", 1),
        ("2001:db8::/56", "network", 256),
    ],
)
def test_a_network_is_looked_up_by_what_is_stored_beside_addresses(
    network: str, kind: str, count: int
) -> None:
    keys = list(keys_of(ListedKind.NETWORK, network, HASHER))
    assert len(set(keys)) == count
    assert {key[0] for key in keys} == {kind}


@given(last=st.integers(0, 2**24 - 1), prefix=st.integers(8, 32))
def test_an_address_is_found_by_each_network_that_has_it(last: int, prefix: int) -> None:
    address = ip_address(10 * 2**24 + last)
    network = ip_network((address, max(prefix, 18)), strict=False)
    stored = ("network", HASHER.hash("network", str(ip_network((address, 24), strict=False))))
    exact = ("ip", HASHER.hash("ip", str(address)))
    keys = set(keys_of(ListedKind.NETWORK, str(network), HASHER))
    assert (stored in keys) is (network.prefixlen <= 24)
    assert (exact in keys) is (network.prefixlen > 24)
