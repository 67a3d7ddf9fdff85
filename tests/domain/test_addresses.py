"""Addresses in networks, as the standard library says."""

from ipaddress import ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from domain.addresses import Address, NetworkSet
from referrals.intake.normalising.addresses import network_of, read_address

NETWORKS = ("10.0.0.0/8", "100.64.0.0/10", "192.0.2.7/32", "::1/128", "fc00::/7", "64:ff9b::/96")
ADDRESSES = st.one_of(
    st.ip_addresses(),
    *(st.ip_addresses(network=network) for network in NETWORKS),
)


@given(ADDRESSES)
def test_an_address_is_in_the_networks_that_the_standard_library_names(address: Address) -> None:
    networks = [ip_network(network) for network in NETWORKS]
    is_inside = any(address in network for network in networks)

    assert (address in NetworkSet(*NETWORKS)) == is_inside


@given(ADDRESSES)
def test_a_network_is_the_block_that_the_standard_library_names(address: Address) -> None:
    prefix = {4: 24, 6: 64}[address.version]

    assert network_of(address) == str(ip_network(f"{address}/{prefix}", strict=False))


@given(st.ip_addresses())
@example("2001:db8::1%eth0")
@example("198.51.100.7")
def test_an_address_alone_is_read_as_the_first_of_a_list(address: Address | str) -> None:
    assert read_address(str(address)) == read_address(f"{address}, no address")
