"""Addresses in networks, as the standard library says."""

from ipaddress import IPv6Address, ip_address, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from domain.addresses import NetworkSet
from domain.ip_texts import Address, ip_text, parse_ip
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


SPELLINGS = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
    st.ip_addresses(v=4).map(lambda address: f"::{address}"),
    st.text("0123456789abcdefABCDEF:.%/ \0\ud800\u0661", max_size=45),
    st.lists(
        st.sampled_from(["0", "00", "1", "255", "256", "f", "0001", "12345", ""]), max_size=9
    ).flatmap(lambda parts: st.sampled_from([":", "."]).map(lambda sign: sign.join(parts))),
)


@given(SPELLINGS)
@example("::ffff:102:304")
@example("0:0:0:0:0:0:0:1")
@example("1:0:0:2:0:0:0:3")
@example("2001:db8::0:1")
@example("01.2.3.4")
@example("fe80::1%eth0")
def test_every_text_is_the_address_that_the_standard_library_reads(text: str) -> None:
    try:
        expected: Address | None = ip_address(text)
    except ValueError:
        expected = None
    if isinstance(expected, IPv6Address) and expected.ipv4_mapped:
        expected = expected.ipv4_mapped

    assert parse_ip(text) == expected


@given(
    st.one_of(
        st.ip_addresses(),
        st.ip_addresses(network="::/96"),
        st.ip_addresses(network="::ffff:0:0/96"),
    )
)
@example(IPv6Address("fe80::1%eth0"))
def test_an_address_is_written_as_the_standard_library_writes_it(address: Address) -> None:
    assert ip_text(address) == str(address)
